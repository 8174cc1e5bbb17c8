DROP TABLE file_chunks;
DROP TABLE files;
DROP TABLE rejects;
DROP TABLE reject_lines;
DROP TABLE reject_heads;
DROP TABLE generations;
DROP TABLE block_state;
DROP TABLE loads;
