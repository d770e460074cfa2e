//! The parts of the server's binary: command line, configuration files, log, and what ties the process to its system.
#![forbid(unsafe_code)]

pub mod config_file;
pub mod daemon;
pub mod data_directory;
pub mod logger;
mod nodes;
pub mod options;
pub mod pid_file;
pub mod process;
pub mod serve;
pub mod supervised;
