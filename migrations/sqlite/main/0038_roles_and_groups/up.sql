-- Besides the built-in ones there are roles of one's own, which people change.
ALTER TABLE roles ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
CREATE INDEX members_role ON members (role_id);

-- A group of members. It holds access like a member, and can be told like one. It is deleted once nothing that lives needs it;
-- what was put away forgets it.
CREATE TABLE groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL
);

CREATE TABLE group_members (
    group_id BIGINT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    member_id BIGINT NOT NULL REFERENCES members (id),
    PRIMARY KEY (group_id, member_id)
);
CREATE INDEX group_members_member ON group_members (member_id);

CREATE TABLE application_group_access (
    application_id BIGINT NOT NULL REFERENCES applications (id),
    group_id BIGINT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    can_view BOOLEAN NOT NULL,
    can_import_data BOOLEAN NOT NULL,
    can_configure BOOLEAN NOT NULL,
    PRIMARY KEY (application_id, group_id)
);
CREATE INDEX application_group_access_group ON application_group_access (group_id);

-- All that members were given, by themselves and through groups: a row for each way.
CREATE VIEW member_access AS
    SELECT application_id, member_id, can_view, can_import_data, can_configure FROM application_access
    UNION ALL
    SELECT a.application_id, g.member_id, a.can_view, a.can_import_data, a.can_configure
    FROM application_group_access a JOIN group_members g ON g.group_id = a.group_id;

-- Whom a schedule tells besides its recipients: whoever is in the group when something is told.
CREATE TABLE schedule_recipient_groups (
    schedule_id BIGINT NOT NULL REFERENCES schedules (id),
    group_id BIGINT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (schedule_id, group_id)
);
CREATE INDEX schedule_recipient_groups_group ON schedule_recipient_groups (group_id);

-- What whoever accepts an invitation gets: groups to be in, and permissions in Applications.
CREATE TABLE invitation_groups (
    invitation_id BIGINT NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
    group_id BIGINT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (invitation_id, group_id)
);
CREATE INDEX invitation_groups_group ON invitation_groups (group_id);

CREATE TABLE invitation_access (
    invitation_id BIGINT NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
    application_id BIGINT NOT NULL REFERENCES applications (id),
    can_view BOOLEAN NOT NULL,
    can_import_data BOOLEAN NOT NULL,
    can_configure BOOLEAN NOT NULL,
    PRIMARY KEY (invitation_id, application_id)
);
CREATE INDEX invitation_access_application ON invitation_access (application_id);
