DROP INDEX notices_by_time;
