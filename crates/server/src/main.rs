//! The Tessera server.
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;
use tessera_drivers::memory::Allocator;
use tessera_server::options::{self, Request};
use tessera_server::serve;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let outcome = match options::read(&arguments, &mut std::io::stdin()) {
        Ok(Request::Print(bytes)) => {
            // Whoever closes the pipe has read enough.
            let _ = std::io::stdout().write_all(&bytes);
            return ExitCode::SUCCESS;
        }
        Ok(Request::Run(options)) => serve::run(*options),
        Err(message) => Err(message),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}
