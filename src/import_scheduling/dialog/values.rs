//! Values of the parameters of what is chosen, as the dialog holds them: of a configuration, or of each step of a set.

use serde_json::Value;

use super::Stage;
use super::typed::Typed;
use crate::error::FieldErrors;
use crate::imports::Target;
use crate::parameters;
use crate::web::Form;

/// Reads the values of what is chosen. What was chosen after the form was drawn has yet to ask for its own.
pub fn read(stage: &Stage, typed: &mut Typed, sent: &Form) -> Result<(), FieldErrors> {
    let Some(target) = typed.target() else { return Ok(()) };
    let before = stage.schedule.as_ref().or(stage.copied.as_ref().map(|copied| &copied.of));
    let before = before.filter(|before| before.target == target);
    let kept = before.and_then(|before| before.parameters.as_ref());
    // The fields may be those of what was chosen before.
    let drawn = sent.get("asked") == target.short();
    let declared = stage.asked_by(target);
    let (there, asked) = match target {
        Target::Set(id) => stage.asks.asked(id, sent),
        Target::Configuration(_) => (declared.len().min(1), usize::from(parameters::asked(sent, ""))),
    };
    if !drawn || asked < there {
        typed.values = kept.map(parameters::mask);
        // A schedule that is edited keeps what it has of what it is not asked for.
        return match there == 0 || before.is_some() {
            true => Ok(()),
            false => Err(match target {
                Target::Configuration(_) => {
                    FieldErrors::one("parameters", "This import asks for values. Check them, then save.")
                }
                Target::Set(_) => FieldErrors::one("set_id", "Its steps ask for values. Check them, then save."),
            }),
        };
    }
    typed.values = match target {
        Target::Configuration(_) => parameters::given(&declared, "", sent, kept),
        Target::Set(id) => {
            let given = stage.asks.given(id, sent, kept);
            match stage.asks.says_nothing_new(id, &given, kept) {
                true => kept.map(parameters::mask),
                false => (!given.is_empty()).then_some(Value::Object(given)),
            }
        }
    };
    Ok(())
}
