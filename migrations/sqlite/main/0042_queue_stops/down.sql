DROP TABLE queue_stops;
