DROP TABLE set_versions;
DROP TABLE import_sets;
DROP TABLE configuration_versions;
DROP TABLE import_configurations;
DROP TABLE connection_applications;
DROP TABLE connections;
