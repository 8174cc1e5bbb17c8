//! The program. What it does stands in [`tidegate::command_line`], and is compiled there beside everything else.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidegate::command_line::main()
}
