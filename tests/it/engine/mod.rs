
mod host;
