DROP TABLE posts;
DROP TABLE outlets;
DROP TABLE slack_members;
DROP TABLE slack;
