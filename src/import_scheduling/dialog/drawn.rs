//! The form as it is drawn, from what is known and what was typed.

use serde_json::Value;

use super::Stage;
use super::beside::Chosen;
use super::copy::Copied;
use super::form::{Choice, ConfigurationChoice, ScheduleForm};
use super::preview::{Asked, PreviewPart};
use super::typed::Typed;
use crate::clock::Moment;
use crate::error::FieldErrors;
use crate::import_scheduling::asks;
use crate::imports::{Listed, Target};
use crate::members::By;
use crate::members::groups::Group;
use crate::parameters::Fields;
use crate::schedules::{Schedule, run_name};
use crate::words;

/// The form, drawn.
pub(super) fn form(
    stage: &Stage,
    typed: Typed,
    by: &By,
    csrf: String,
    errors: FieldErrors,
    now: Moment,
) -> ScheduleForm {
    let base = format!("/applications/{}", stage.entered.application.id);
    let errors = if typed.of_set { asks::at_controls(errors) } else { errors };
    let mut blocks: Vec<(i64, String)> =
        stage.configurations.iter().map(|c| (c.configuration.block_id, c.block_name.clone())).collect();
    blocks.sort_by(|a, b| a.1.cmp(&b.1).then(a.0.cmp(&b.0)));
    blocks.dedup();
    let chosen_configuration =
        stage.configurations.iter().filter(|_| !typed.of_set).find(|c| Some(c.configuration.id) == typed.configuration);
    let with_steps = stage.sets.iter().find(|(set, _)| typed.of_set && Some(set.id) == typed.set);
    let chosen_set = with_steps.map(|(set, _)| set);
    let step = |id: i64| {
        let listed = stage.configurations.iter().find(|listed| listed.configuration.id == id);
        listed.map(|listed| listed.configuration.clone())
    };
    let to_run = match chosen_configuration {
        Some(c) => Some(Chosen::of(&c.configuration, &c.definition)),
        None => with_steps.map(|(set, definition)| Chosen::of_set(set, definition, step)),
    };
    // A copy may go anywhere: its configuration does not narrow the choice.
    let narrows = chosen_configuration.filter(|_| stage.copied.is_none());
    let block = typed.block.or(narrows.map(|c| c.configuration.block_id));
    let members: Vec<Choice> = stage
        .members
        .iter()
        .map(|m| Choice {
            id: m.id,
            name: m.name.clone(),
            email: m.email.clone(),
            selected: typed.recipients.contains(&m.id),
        })
        .collect();
    // Those in which somebody may be told, and those that are chosen.
    let seen = |group: &Group| group.member_ids.iter().any(|id| stage.members.iter().any(|m| m.id == *id));
    let groups = stage.groups.iter().filter(|group| typed.groups.contains(&group.id) || seen(group));
    let groups: Vec<Choice> = groups.map(|group| group_choice(group, &typed.groups)).collect();
    let told = groups.iter().chain(&members).filter(|choice| choice.selected);
    let chosen: Vec<&str> = told.map(|choice| choice.name.as_str()).collect();
    let (title, submit, action, ownership) = match (&stage.schedule, &stage.owner) {
        (None, _) => (
            if stage.copied.is_some() { "Copy schedule" } else { "Schedule an import" },
            "Schedule Import",
            format!("{base}/schedules"),
            "You will own this schedule. It is on as soon as you save it.".to_owned(),
        ),
        (Some(schedule), Some(owner)) if schedule.owner_id != by.member.id => (
            "Edit schedule",
            "Update Schedule",
            format!("{base}/schedules/{}", schedule.id),
            match &stage.flag {
                Some(flag) => {
                    let fails = fails(schedule);
                    format!("{flag} It {fails} fail. If you change it, the Owner changes from {owner} to you.")
                }
                None => {
                    let shut = stage.shut.as_ref().map(|shut| format!("It {} fail. {shut} ", fails(schedule)));
                    let shut = shut.unwrap_or_default();
                    format!("{shut}If you change it, the Owner changes from {owner} to you.")
                }
            },
        ),
        (Some(schedule), _) => (
            "Edit schedule",
            "Update Schedule",
            format!("{base}/schedules/{}", schedule.id),
            match &stage.shut {
                Some(shut) => format!("You own this schedule. It {} fail. {shut}", fails(schedule)),
                None => "You own this schedule.".to_owned(),
            },
        ),
    };
    let declared = chosen_configuration.map(Listed::asks).unwrap_or_default();
    let of_steps = chosen_set.map(|set| stage.asks.together(set.id)).unwrap_or_default();
    let named = chosen_set.map(|set| stage.asks.names(set.id)).unwrap_or_default();
    let by_step = chosen_set.map(|set| Value::Object(stage.asks.by_step(set.id, typed.values.as_ref())));
    let dated = if typed.of_set { of_steps.as_slice() } else { declared.as_slice() };
    let (application_id, files) = (stage.entered.application.id, stage.files.as_slice());
    ScheduleForm {
        values: Fields::of(&declared, "", typed.values.as_ref(), &errors).with_files(application_id, files),
        sets_ask: !stage.asks.is_empty(),
        steps: chosen_set
            .map(|set| stage.asks.fields(set.id, typed.values.as_ref(), &errors, (application_id, files)))
            .unwrap_or_default(),
        asked: typed.target().map(Target::short).unwrap_or_default(),
        asks_values: stage.configurations.iter().any(|c| !c.asks().is_empty()),
        title,
        submit,
        ownership,
        action,
        back: typed.back,
        csrf,
        version: typed.version,
        nonce: typed.nonce,
        configurations: configuration_choice(
            &stage.configurations,
            stage.copied.as_ref(),
            block,
            typed.configuration,
            errors.of("configuration_id").map(str::to_owned),
        ),
        blocks: blocks
            .into_iter()
            .map(|(id, name)| Choice { id, name, email: String::new(), selected: Some(id) == block })
            .collect(),
        preview: PreviewPart::of(
            Asked {
                rule: &typed.rule,
                chosen: to_run.as_ref(),
                schedule_id: stage.schedule.as_ref().map(|s| s.id),
                expanded: typed.expanded,
                parameters: dated,
                values: by_step.as_ref().or(typed.values.as_ref()),
            },
            &stage.beside,
            now,
        ),
        sets: stage
            .sets
            .iter()
            .map(|(set, _)| Choice {
                id: set.id,
                name: set.name.clone(),
                email: String::new(),
                selected: Some(set.id) == typed.set,
            })
            .collect(),
        of_set: typed.of_set,
        schedule: stage.schedule.as_ref().map(|s| s.id),
        fresh: typed.fresh,
        no_mail_server: false,
        used: typed.used,
        run_name_words: run_name::known(match typed.of_set {
            true => &named,
            false => &declared,
        }),
        run_name_default: format!(
            "{} {} {}",
            chosen_configuration
                .map(|c| c.configuration.name.clone())
                .or(chosen_set.map(|set| run_name::of_set(&set.name)))
                .unwrap_or_else(|| "The import's name".to_owned()),
            typed.rule.start_date,
            typed.rule.start_time
        ),
        rule: typed.rule,
        notify_on: typed.notify_on,
        notify_about: typed.notify_about,
        notify_after: typed.notify_after,
        chosen: if chosen.is_empty() { "No one chosen".into() } else { chosen.join(", ") },
        members,
        groups,
        hides_set: typed.of_set && !typed.run_name.trim().is_empty() && !run_name::names_a_set(&typed.run_name),
        run_name: typed.run_name,
        copy_of: stage.copied.as_ref().map(|copied| copied.of.id),
        base,
        errors,
    }
}

fn group_choice(group: &Group, chosen: &[i64]) -> Choice {
    Choice {
        id: group.id,
        name: group.name.clone(),
        email: format!("group, {}", words::counted(group.member_ids.len() as i64, "member", "members")),
        selected: chosen.contains(&group.id),
    }
}

pub(super) fn configuration_choice(
    configurations: &[Listed],
    copied: Option<&Copied>,
    block: Option<i64>,
    selected: Option<i64>,
    error: Option<String>,
) -> ConfigurationChoice {
    let choices: Vec<Choice> = configurations
        .iter()
        .filter(|c| {
            // What was chosen and refused is still there, whatever the Block says.
            let refused = error.is_some() && Some(c.configuration.id) == selected;
            refused || block.is_none_or(|block| c.configuration.block_id == block)
        })
        .map(|c| Choice {
            id: c.configuration.id,
            name: match copied {
                Some(copied) => copied.with_slots(&c.configuration),
                None => c.configuration.name.clone(),
            },
            email: String::new(),
            selected: Some(c.configuration.id) == selected,
        })
        .collect();
    ConfigurationChoice { choices, error }
}

/// Whether it is to run at all.
fn fails(schedule: &Schedule) -> &'static str {
    if schedule.next_at.is_some() { "will" } else { "would" }
}
