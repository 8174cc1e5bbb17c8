//! The tables as Diesel sees them, the same for both databases. Ids and moments are BIGINT (moments in microseconds
//! UTC), enums and JSON are TEXT.

diesel::table! {
    workspace (id) {
        id -> BigInt,
        name -> Text,
        time_zone -> Text,
        fence -> BigInt,
        turn -> BigInt,
        fingerprint -> Text,
        standing_by_since -> Nullable<BigInt>,
        seal_check -> Nullable<Text>,
        created_at -> BigInt,
        zone_data -> Nullable<Text>,
        place -> Nullable<Text>,
        home_url -> Nullable<Text>,
        second_factor_of -> Text,
    }
}

diesel::table! {
    roles (id) {
        id -> BigInt,
        name -> Text,
        permissions -> Text,
        built_in -> Bool,
        version -> BigInt,
    }
}

diesel::table! {
    groups (id) {
        id -> BigInt,
        name -> Text,
        name_key -> Text,
        version -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    group_members (group_id, member_id) {
        group_id -> BigInt,
        member_id -> BigInt,
    }
}

diesel::table! {
    members (id) {
        id -> BigInt,
        email -> Text,
        email_key -> Text,
        name -> Text,
        role_id -> BigInt,
        password_hash -> Nullable<Text>,
        active -> Bool,
        time_zone -> Nullable<Text>,
        version -> BigInt,
        created_at -> BigInt,
        deactivated_at -> Nullable<BigInt>,
        shortcuts -> Bool,
        theme -> Nullable<Text>,
    }
}

diesel::table! {
    sessions (id) {
        id -> BigInt,
        token_hash -> Text,
        member_id -> BigInt,
        created_at -> BigInt,
        seen_at -> BigInt,
        expires_at -> BigInt,
        address -> Nullable<Text>,
        browser -> Nullable<Text>,
    }
}

diesel::table! {
    second_factors (member_id) {
        member_id -> BigInt,
        sealed -> Text,
        last_step -> BigInt,
        set_at -> BigInt,
    }
}

diesel::table! {
    recovery_codes (id) {
        id -> BigInt,
        member_id -> BigInt,
        code_hash -> Text,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sign_in_elsewhere (id) {
        id -> BigInt,
        issuer -> Text,
        client_id -> Text,
        sealed_secret -> Text,
        label -> Text,
        set_at -> BigInt,
    }
}

diesel::table! {
    one_time_tokens (id) {
        id -> BigInt,
        token_hash -> Text,
        purpose -> Text,
        member_id -> Nullable<BigInt>,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        used_at -> Nullable<BigInt>,
        made_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    invitations (id) {
        id -> BigInt,
        token_hash -> Text,
        email -> Text,
        email_key -> Text,
        name -> Text,
        role_id -> BigInt,
        invited_by -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    sign_in_attempts (id) {
        id -> BigInt,
        account_key -> Text,
        address -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> BigInt,
        token_hash -> Text,
        member_id -> BigInt,
        name -> Text,
        scopes -> Nullable<Text>,
        created_at -> BigInt,
        last_used_at -> Nullable<BigInt>,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    idempotency_keys (token_id, request_key) {
        token_id -> BigInt,
        request_key -> Text,
        request_hash -> Text,
        status -> Nullable<Integer>,
        location -> Nullable<Text>,
        body -> Nullable<Text>,
        created_at -> BigInt,
    }
}

diesel::table! {
    audit_log (id) {
        id -> BigInt,
        at -> BigInt,
        member_id -> Nullable<BigInt>,
        member_name -> Text,
        channel -> Text,
        action -> Text,
        subject_kind -> Text,
        subject_id -> Nullable<BigInt>,
        application_id -> Nullable<BigInt>,
        before -> Nullable<Text>,
        after -> Nullable<Text>,
        from_address -> Nullable<Text>,
        token_name -> Nullable<Text>,
    }
}

diesel::table! {
    applications (id) {
        id -> BigInt,
        name -> Text,
        name_key -> Text,
        time_zone -> Text,
        spacing_minutes -> Integer,
        version -> BigInt,
        created_at -> BigInt,
        archived_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    application_access (application_id, member_id) {
        application_id -> BigInt,
        member_id -> BigInt,
        can_view -> Bool,
        can_import_data -> Bool,
        can_configure -> Bool,
    }
}

diesel::table! {
    application_group_access (application_id, group_id) {
        application_id -> BigInt,
        group_id -> BigInt,
        can_view -> Bool,
        can_import_data -> Bool,
        can_configure -> Bool,
    }
}

diesel::table! {
    invitation_groups (invitation_id, group_id) {
        invitation_id -> BigInt,
        group_id -> BigInt,
    }
}

diesel::table! {
    invitation_access (invitation_id, application_id) {
        invitation_id -> BigInt,
        application_id -> BigInt,
        can_view -> Bool,
        can_import_data -> Bool,
        can_configure -> Bool,
    }
}

diesel::table! {
    blocks (id) {
        id -> BigInt,
        application_id -> BigInt,
        name -> Text,
        name_key -> Text,
        kind -> Text,
        version -> BigInt,
        created_at -> BigInt,
        archived_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    block_columns (id) {
        id -> BigInt,
        block_id -> BigInt,
        position -> Integer,
        name -> Text,
        name_key -> Text,
        column_type -> Text,
        dimension_block_id -> Nullable<BigInt>,
        is_key -> Bool,
        required -> Bool,
        archived_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    connections (id) {
        id -> BigInt,
        name -> Text,
        name_key -> Text,
        kind -> Text,
        settings -> Text,
        sealed_secrets -> Nullable<Text>,
        version -> BigInt,
        created_at -> BigInt,
        archived_at -> Nullable<BigInt>,
        secret_ends_on -> Nullable<Text>,
    }
}

diesel::table! {
    connection_applications (connection_id, application_id) {
        connection_id -> BigInt,
        application_id -> BigInt,
    }
}

diesel::table! {
    import_configurations (id) {
        id -> BigInt,
        application_id -> BigInt,
        name -> Text,
        name_key -> Text,
        description -> Text,
        block_id -> BigInt,
        connection_id -> Nullable<BigInt>,
        source_block_id -> Nullable<BigInt>,
        version -> BigInt,
        status -> Nullable<Text>,
        status_run_id -> Nullable<BigInt>,
        status_at -> Nullable<BigInt>,
        created_at -> BigInt,
        archived_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    import_sets (id) {
        id -> BigInt,
        application_id -> BigInt,
        name -> Text,
        name_key -> Text,
        version -> BigInt,
        status -> Nullable<Text>,
        status_run_id -> Nullable<BigInt>,
        status_at -> Nullable<BigInt>,
        created_at -> BigInt,
        archived_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    configuration_versions (configuration_id, version) {
        configuration_id -> BigInt,
        version -> BigInt,
        block_id -> BigInt,
        connection_id -> Nullable<BigInt>,
        source_block_id -> Nullable<BigInt>,
        definition -> Text,
        created_by -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    set_versions (set_id, version) {
        set_id -> BigInt,
        version -> BigInt,
        definition -> Text,
        created_by -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    schedules (id) {
        id -> BigInt,
        application_id -> BigInt,
        configuration_id -> Nullable<BigInt>,
        set_id -> Nullable<BigInt>,
        target_key -> Text,
        slot_key -> Nullable<Text>,
        run_name -> Nullable<Text>,
        rule -> Text,
        enabled -> Bool,
        off_since -> Nullable<BigInt>,
        off_until -> Nullable<BigInt>,
        next_at -> Nullable<BigInt>,
        broken -> Nullable<Text>,
        owner_id -> BigInt,
        notify_about -> Nullable<Text>,
        notify_after -> Integer,
        parameters -> Nullable<Text>,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        updated_by -> BigInt,
        finished_at -> Nullable<BigInt>,
        archived_at -> Nullable<BigInt>,
        made_by_form -> Nullable<Text>,
        claimed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    schedule_recipients (schedule_id, member_id) {
        schedule_id -> BigInt,
        member_id -> BigInt,
    }
}

diesel::table! {
    schedule_recipient_groups (schedule_id, group_id) {
        schedule_id -> BigInt,
        group_id -> BigInt,
    }
}

diesel::table! {
    translations (id) {
        id -> BigInt,
        application_id -> BigInt,
        name -> Text,
        name_key -> Text,
        otherwise -> Text,
        version -> BigInt,
        created_at -> BigInt,
        archived_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    notices (id) {
        id -> BigInt,
        member_id -> BigInt,
        key -> Text,
        kind -> Text,
        application_id -> Nullable<BigInt>,
        run_id -> Nullable<BigInt>,
        incident_id -> Nullable<BigInt>,
        link -> Nullable<Text>,
        title -> Text,
        detail -> Text,
        at -> BigInt,
        read_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    gathered (notice_id, channel) {
        notice_id -> BigInt,
        channel -> Text,
        member_id -> BigInt,
        due_at -> BigInt,
    }
}

diesel::table! {
    incidents (id) {
        id -> BigInt,
        application_id -> Nullable<BigInt>,
        key -> Text,
        kind -> Text,
        cause -> Text,
        opened_at -> BigInt,
        last_at -> BigInt,
        told_at -> BigInt,
        failures -> BigInt,
        reminders -> Integer,
        taken_by -> Nullable<BigInt>,
        taken_at -> Nullable<BigInt>,
        snoozed_until -> Nullable<BigInt>,
        closed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    incident_targets (incident_id, target_key) {
        incident_id -> BigInt,
        target_key -> Text,
        run_id -> BigInt,
        at -> BigInt,
        failures -> BigInt,
        recovered_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    audit_told (id) {
        id -> BigInt,
        audit_id -> BigInt,
    }
}

diesel::table! {
    deliveries (id) {
        id -> BigInt,
        notice_id -> BigInt,
        channel -> Text,
        state -> Text,
        attempt -> Integer,
        next_at -> Nullable<BigInt>,
        message_id -> Text,
        said -> Nullable<Text>,
        created_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    slack (id) {
        id -> BigInt,
        sealed_token -> Text,
        team -> Text,
        set_at -> BigInt,
        answered_at -> Nullable<BigInt>,
        broken_at -> Nullable<BigInt>,
        said -> Nullable<Text>,
    }
}

diesel::table! {
    slack_members (member_id) {
        member_id -> BigInt,
        email -> Text,
        slack_id -> Nullable<Text>,
        asked_at -> BigInt,
    }
}

diesel::table! {
    outlets (id) {
        id -> BigInt,
        application_id -> BigInt,
        kind -> Text,
        about -> Text,
        address -> Text,
        sealed -> Nullable<Text>,
        version -> BigInt,
        set_at -> BigInt,
        tried_at -> Nullable<BigInt>,
        good -> Nullable<Bool>,
        said -> Nullable<Text>,
    }
}

diesel::table! {
    posts (id) {
        id -> BigInt,
        outlet_id -> BigInt,
        key -> Text,
        kind -> Text,
        application_id -> BigInt,
        run_id -> Nullable<BigInt>,
        incident_id -> Nullable<BigInt>,
        link -> Nullable<Text>,
        title -> Text,
        detail -> Text,
        at -> BigInt,
        event_id -> Text,
        state -> Text,
        attempt -> Integer,
        next_at -> Nullable<BigInt>,
        said -> Nullable<Text>,
        created_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    hand_overs (id) {
        id -> BigInt,
        at -> BigInt,
        by_id -> BigInt,
        from_id -> Nullable<BigInt>,
        to_id -> BigInt,
        leaves -> Bool,
        untold -> Bool,
        undone_at -> Nullable<BigInt>,
        undone_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    hand_over_lines (hand_over_id, schedule_id) {
        hand_over_id -> BigInt,
        schedule_id -> BigInt,
        owner_was -> Nullable<BigInt>,
        told_was -> Nullable<BigInt>,
        told_before -> Bool,
        version -> BigInt,
    }
}

diesel::table! {
    member_channels (member_id) {
        member_id -> BigInt,
        email -> Bool,
        slack -> Bool,
        digest_hour -> Nullable<Integer>,
        digest_all -> Bool,
    }
}

diesel::table! {
    kept_files (id) {
        id -> BigInt,
        application_id -> BigInt,
        name -> Text,
        name_key -> Text,
        version -> BigInt,
        created_at -> BigInt,
        archived_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    kept_file_versions (kept_file_id, version) {
        kept_file_id -> BigInt,
        version -> BigInt,
        file_id -> BigInt,
        name -> Text,
        bytes -> BigInt,
        sha256 -> Text,
        kept_by -> BigInt,
        kept_at -> BigInt,
    }
}

diesel::table! {
    calendar_feeds (id) {
        id -> BigInt,
        member_id -> BigInt,
        application_id -> Nullable<BigInt>,
        scope_key -> Text,
        token_hash -> Text,
        made_at -> BigInt,
    }
}

diesel::table! {
    translation_entries (translation_id, source) {
        translation_id -> BigInt,
        source -> Text,
        target -> Text,
    }
}

diesel::table! {
    freezes (id) {
        id -> BigInt,
        application_id -> BigInt,
        name -> Text,
        name_key -> Text,
        starts_at -> BigInt,
        ends_at -> BigInt,
        run_once -> Bool,
        version -> BigInt,
        created_by -> BigInt,
        created_at -> BigInt,
        settled_at -> Nullable<BigInt>,
        archived_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    run_counts (id) {
        id -> BigInt,
        application_id -> BigInt,
        slot -> BigInt,
        status -> Text,
        scheduled -> Bool,
        runs -> BigInt,
        merged -> Bool,
    }
}

diesel::table! {
    runs (id) {
        id -> BigInt,
        uid -> Text,
        application_id -> BigInt,
        configuration_id -> Nullable<BigInt>,
        configuration_version -> Nullable<BigInt>,
        block_id -> Nullable<BigInt>,
        set_id -> Nullable<BigInt>,
        parent_id -> Nullable<BigInt>,
        schedule_id -> Nullable<BigInt>,
        planned_at -> Nullable<BigInt>,
        planned_until -> Nullable<BigInt>,
        repeat_no -> Integer,
        waiting_key -> Nullable<Text>,
        again_of -> Nullable<BigInt>,
        trigger_kind -> Text,
        started_by -> Nullable<BigInt>,
        as_member_id -> Nullable<BigInt>,
        name -> Text,
        status -> Text,
        reason -> Nullable<Text>,
        cause -> Nullable<Text>,
        late -> Bool,
        attempt -> Integer,
        parameters -> Nullable<Text>,
        file_id -> Nullable<BigInt>,
        queued_at -> BigInt,
        precedence -> Integer,
        waits_for -> Nullable<Text>,
        available_at -> Nullable<BigInt>,
        started_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
        interrupted -> Bool,
    }
}

diesel::table! {
    run_restores (run_id) {
        run_id -> BigInt,
        restores_run_id -> BigInt,
    }
}

diesel::table! {
    freeze_skips (freeze_id, schedule_id, target_key) {
        freeze_id -> BigInt,
        schedule_id -> BigInt,
        target_key -> Text,
        run_id -> BigInt,
        occurrences -> BigInt,
        newest_at -> BigInt,
    }
}

diesel::table! {
    run_leases (run_id) {
        run_id -> BigInt,
        worker -> Text,
        fence -> BigInt,
        lease_until -> BigInt,
        cancel_requested -> Bool,
        phase -> Text,
        rows_done -> BigInt,
        bytes_done -> BigInt,
        bytes_total -> Nullable<BigInt>,
    }
}

diesel::table! {
    run_intents (run_id) {
        run_id -> BigInt,
        configuration_id -> BigInt,
        configuration_version -> BigInt,
        block_id -> BigInt,
        connection_id -> BigInt,
        path -> Text,
        stamp -> Text,
    }
}

diesel::table! {
    run_holds (run_id) {
        run_id -> BigInt,
        block_id -> BigInt,
        rows_held -> BigInt,
        rows_usual -> BigInt,
        held_until -> BigInt,
        started_at -> Nullable<BigInt>,
        finished_at -> BigInt,
        approved_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    run_results (run_id) {
        run_id -> BigInt,
        rows_read -> BigInt,
        rows_added -> BigInt,
        rows_changed -> BigInt,
        rows_removed -> BigInt,
        rows_unchanged -> BigInt,
        rows_rejected -> BigInt,
        bytes -> BigInt,
        source_name -> Nullable<Text>,
        source_sha256 -> Nullable<Text>,
        told -> Nullable<Text>,
    }
}

diesel::table! {
    run_steps (run_id, position) {
        run_id -> BigInt,
        position -> Integer,
        name -> Text,
        status -> Text,
        detail -> Text,
        started_at -> BigInt,
        duration_us -> BigInt,
    }
}

diesel::table! {
    run_log (id) {
        id -> BigInt,
        run_id -> BigInt,
        at -> BigInt,
        level -> Text,
        message -> Text,
    }
}

diesel::table! {
    resource_leases (resource, place) {
        resource -> Text,
        place -> Integer,
        run_id -> BigInt,
    }
}

diesel::table! {
    queue_stops (application_id) {
        application_id -> BigInt,
    }
}

diesel::table! {
    workers (name) {
        name -> Text,
        started_at -> BigInt,
        seen_at -> BigInt,
    }
}

diesel::table! {
    outcomes (run_id, kind) {
        run_id -> BigInt,
        kind -> Text,
        at -> BigInt,
        status -> Text,
        schedule_id -> Nullable<BigInt>,
        announced_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    set_runs (run_id) {
        run_id -> BigInt,
        set_version -> BigInt,
        cancelled_by -> Nullable<Text>,
    }
}

diesel::table! {
    set_run_steps (run_id, position) {
        run_id -> BigInt,
        position -> Integer,
        configuration_id -> BigInt,
        partial_fails -> Bool,
        parameters -> Nullable<Text>,
        step_run_id -> Nullable<BigInt>,
        taken_over -> Bool,
        status -> Nullable<Text>,
    }
}

diesel::table! {
    promises (id) {
        id -> BigInt,
        application_id -> BigInt,
        configuration_id -> Nullable<BigInt>,
        set_id -> Nullable<BigInt>,
        target_key -> Text,
        rule -> Text,
        version -> BigInt,
        updated_at -> BigInt,
        updated_by -> BigInt,
        state -> Text,
        deadline -> Nullable<BigInt>,
        settled -> BigInt,
        counts_from -> BigInt,
        late_since -> Nullable<BigInt>,
        answered_deadline -> Nullable<BigInt>,
        answered_at -> Nullable<BigInt>,
        feared -> Nullable<BigInt>,
        copied -> Bool,
    }
}

diesel::table! {
    environments (application_id) {
        application_id -> BigInt,
        original_id -> Nullable<BigInt>,
        made_by -> Text,
        at -> BigInt,
        member_id -> BigInt,
        connections -> Text,
        rows_of -> BigInt,
        finished_at -> Nullable<BigInt>,
        dismissed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    promotions (application_id, at) {
        application_id -> BigInt,
        at -> BigInt,
        from_id -> BigInt,
        member_id -> BigInt,
    }
}

diesel::table! {
    kin (kind, copy_id, original_id) {
        kind -> Text,
        copy_id -> BigInt,
        original_id -> BigInt,
        copy_in -> BigInt,
        original_in -> BigInt,
    }
}

diesel::table! {
    row_copies (block_id) {
        block_id -> BigInt,
        application_id -> BigInt,
        from_block_id -> BigInt,
    }
}

diesel::joinable!(members -> roles (role_id));
diesel::joinable!(invitations -> roles (role_id));
diesel::joinable!(invitations -> members (invited_by));
diesel::joinable!(sessions -> members (member_id));
diesel::joinable!(api_tokens -> members (member_id));
diesel::joinable!(application_access -> applications (application_id));
diesel::joinable!(application_access -> members (member_id));
diesel::joinable!(group_members -> groups (group_id));
diesel::joinable!(group_members -> members (member_id));
diesel::joinable!(application_group_access -> applications (application_id));
diesel::joinable!(application_group_access -> groups (group_id));
diesel::joinable!(invitation_groups -> groups (group_id));
diesel::joinable!(invitation_groups -> invitations (invitation_id));
diesel::joinable!(invitation_access -> applications (application_id));
diesel::joinable!(schedule_recipient_groups -> schedules (schedule_id));
diesel::joinable!(schedule_recipient_groups -> groups (group_id));
diesel::joinable!(blocks -> applications (application_id));
diesel::joinable!(block_columns -> blocks (block_id));
diesel::joinable!(connection_applications -> connections (connection_id));
diesel::joinable!(connection_applications -> applications (application_id));
diesel::joinable!(import_configurations -> blocks (block_id));
diesel::joinable!(import_configurations -> applications (application_id));
diesel::joinable!(configuration_versions -> import_configurations (configuration_id));
diesel::joinable!(schedules -> import_configurations (configuration_id));
diesel::joinable!(schedules -> members (owner_id));
diesel::joinable!(schedule_recipients -> schedules (schedule_id));
diesel::joinable!(schedule_recipients -> members (member_id));
diesel::joinable!(freezes -> applications (application_id));
diesel::joinable!(translation_entries -> translations (translation_id));
diesel::joinable!(deliveries -> notices (notice_id));
diesel::joinable!(posts -> outlets (outlet_id));
diesel::joinable!(incident_targets -> incidents (incident_id));
diesel::joinable!(notices -> members (member_id));
diesel::joinable!(calendar_feeds -> members (member_id));
diesel::joinable!(hand_over_lines -> hand_overs (hand_over_id));
diesel::joinable!(kept_file_versions -> kept_files (kept_file_id));
diesel::joinable!(kept_file_versions -> members (kept_by));
diesel::joinable!(runs -> import_configurations (configuration_id));
diesel::joinable!(runs -> schedules (schedule_id));
diesel::joinable!(import_sets -> applications (application_id));
diesel::joinable!(set_versions -> import_sets (set_id));
diesel::joinable!(run_leases -> runs (run_id));
diesel::joinable!(run_results -> runs (run_id));
diesel::allow_tables_to_appear_in_same_query!(
    workspace,
    second_factors,
    kept_files,
    kept_file_versions,
    notices,
    incidents,
    incident_targets,
    audit_told,
    promises,
    environments,
    promotions,
    kin,
    row_copies,
    deliveries,
    member_channels,
    calendar_feeds,
    hand_overs,
    hand_over_lines,
    slack,
    slack_members,
    outlets,
    posts,
    import_sets,
    roles,
    members,
    sessions,
    one_time_tokens,
    invitations,
    sign_in_attempts,
    api_tokens,
    idempotency_keys,
    audit_log,
    applications,
    application_access,
    groups,
    group_members,
    application_group_access,
    schedule_recipient_groups,
    invitation_groups,
    invitation_access,
    blocks,
    block_columns,
    connections,
    connection_applications,
    import_configurations,
    configuration_versions,
    set_versions,
    schedules,
    schedule_recipients,
    freezes,
    translations,
    translation_entries,
    runs,
    freeze_skips,
    run_leases,
    run_intents,
    run_holds,
    run_restores,
    run_results,
    run_steps,
    run_log,
    set_runs,
    set_run_steps,
    resource_leases,
    workers,
    outcomes,
);

/// The tables of the Block database, reached through its own pool.
pub mod block_db {
    diesel::table! {
        loads (run_uid, block_id) {
            run_uid -> Text,
            block_id -> BigInt,
            run_id -> BigInt,
            state -> Text,
            generation -> BigInt,
            fence -> BigInt,
            rows_read -> BigInt,
            rows_added -> BigInt,
            rows_changed -> BigInt,
            rows_removed -> BigInt,
            rows_unchanged -> BigInt,
            rows_rejected -> BigInt,
            bytes -> BigInt,
            source_name -> Nullable<Text>,
            source_sha256 -> Nullable<Text>,
            loaded_at -> BigInt,
            told -> Nullable<Text>,
        }
    }

    diesel::table! {
        block_state (block_id) {
            block_id -> BigInt,
            generation -> Nullable<BigInt>,
            last_generation -> BigInt,
            fence -> BigInt,
            row_count -> BigInt,
            loaded_at -> Nullable<BigInt>,
        }
    }

    diesel::table! {
        generations (block_id, generation) {
            block_id -> BigInt,
            generation -> BigInt,
            run_uid -> Text,
            run_id -> BigInt,
            state -> Text,
            made_at -> BigInt,
            replaced_at -> Nullable<BigInt>,
            replaced_by -> Nullable<BigInt>,
            row_count -> Nullable<BigInt>,
            column_list -> Nullable<Text>,
        }
    }

    diesel::table! {
        block_views (block_id) {
            block_id -> BigInt,
            view_name -> Text,
            column_list -> Text,
        }
    }

    diesel::table! {
        reject_heads (run_id) {
            run_id -> BigInt,
            column_names -> Text,
            notation -> Text,
        }
    }

    diesel::table! {
        reject_lines (run_id, line) {
            run_id -> BigInt,
            line -> BigInt,
            fields -> Text,
        }
    }

    diesel::table! {
        reject_beyond (run_id, code, column_name) {
            run_id -> BigInt,
            code -> Text,
            column_name -> Text,
            cells -> BigInt,
            first_line -> BigInt,
            reason -> Text,
            advice -> Text,
        }
    }

    diesel::table! {
        rejects (id) {
            id -> BigInt,
            run_id -> BigInt,
            line -> BigInt,
            column_name -> Text,
            value -> Text,
            code -> Text,
            reason -> Text,
            advice -> Text,
        }
    }

    diesel::table! {
        files (id) {
            id -> BigInt,
            name -> Text,
            bytes -> BigInt,
            sha256 -> Text,
            made_at -> BigInt,
        }
    }

    diesel::table! {
        file_chunks (file_id, position) {
            file_id -> BigInt,
            position -> Integer,
            data -> Binary,
        }
    }

    diesel::allow_tables_to_appear_in_same_query!(rejects, reject_lines);
}
