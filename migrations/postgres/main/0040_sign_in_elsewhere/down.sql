DROP TABLE sign_in_elsewhere;
