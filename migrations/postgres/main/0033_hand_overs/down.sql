DROP TABLE hand_over_lines;
DROP TABLE hand_overs;
