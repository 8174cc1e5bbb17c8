DROP TABLE member_channels;
DROP TABLE deliveries;
DROP TABLE notices;
