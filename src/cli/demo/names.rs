//! Names as Sydney has them, with their weights.

pub const FIRST_NAMES: &[(&str, u32)] = &[
    ("Jane", 3), ("Minh", 3), ("Priya", 4), ("Mohammed", 4), ("Wei", 3), ("Olivia", 4), ("Zoë", 2), ("Siobhán", 1), ("Anh", 3),
    ("Gurpreet", 2), ("Fatima", 3), ("Jack", 3), ("Ji-woo", 2), ("Maria", 3), ("George", 2), ("Leila", 2), ("Thomas", 3),
    ("Mei", 2), ("Rohan", 2), ("Chloé", 1), ("Ngọc", 1), ("Elena", 2), ("Samuel", 2), ("Aisha", 2), ("Huda", 1), ("Kieran", 1),
    ("Anne-Marie", 1), ("Sunita", 2), ("David", 3), ("Sarah", 4), ("Yusuf", 1), ("Linh", 2), ("Margaret", 2), ("Tāne", 1),
    ("José", 1), ("Emily", 3), ("Daniel", 3), ("Grace", 2), ("Hannah", 2), ("Arjun", 2),
];

pub const LAST_NAMES: &[(&str, u32)] = &[
    ("Nguyen", 7), ("Nguyễn", 2), ("Singh", 6), ("Smith", 6), ("Patel", 5), ("Chen", 5), ("Williams", 4), ("Khan", 4), ("Kim", 3),
    ("Brown", 4), ("Lee", 4), ("Haddad", 3), ("O'Brien", 3), ("Papadopoulos", 2), ("Tran", 4), ("Wilson", 3), ("Sharma", 3),
    ("Zhang", 3), ("D'Angelo", 1), ("Smith-Jones", 1), ("Abdullah", 2), ("Müller", 1), ("Kowalski", 1), ("Rossi", 1), ("Taylor", 3),
    ("Al-Masri", 1), ("García", 1), ("Lê", 1), ("Fernando", 1), ("Murphy", 2), ("Wong", 2), ("Kaur", 3), ("Ó Súilleabháin", 1),
    ("Martin", 2), ("Ali", 2), ("Jovanović", 1),
];
