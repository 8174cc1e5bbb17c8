DROP TABLE kept_file_versions;
DROP TABLE kept_files;
