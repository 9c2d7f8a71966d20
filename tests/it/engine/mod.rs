#[cfg(test)]
mod host;
