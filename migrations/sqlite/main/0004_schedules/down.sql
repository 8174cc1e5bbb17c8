DROP TABLE freezes;
DROP TABLE schedule_recipients;
DROP TABLE schedules;
