DROP TABLE invitation_access;
DROP TABLE invitation_groups;
DROP TABLE schedule_recipient_groups;
DROP VIEW member_access;
DROP TABLE application_group_access;
DROP TABLE group_members;
DROP TABLE groups;
DROP INDEX members_role;
ALTER TABLE roles DROP COLUMN version;
