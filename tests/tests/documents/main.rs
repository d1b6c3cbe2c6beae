//! What the documents say is so: links lead somewhere, words are spelled, every command exists, and those that are marked to run do.

mod commands;
mod examples;
mod links;
mod page;
mod scratch;
mod words;
