DROP TABLE translation_entries;
DROP TABLE translations;
