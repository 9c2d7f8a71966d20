//! What people write.

use super::bodies::Campaign;

/// Where leads come from, with weights.
pub const CAMPAIGNS: &[(Campaign, u32)] = &[
    (Campaign { source: "facebook", medium: "paid_social", name: "mri-spring" }, 25),
    (Campaign { source: "instagram", medium: "paid_social", name: "womens-imaging" }, 20),
    (Campaign { source: "google", medium: "cpc", name: "ultrasound-near-me" }, 25),
    (Campaign { source: "referral", medium: "gp", name: "gp-letter" }, 15),
    (Campaign { source: "google", medium: "organic", name: "(organic)" }, 10),
    (Campaign { source: "manychat", medium: "organic", name: "page-button" }, 5),
];

pub const INTERESTS: &[(&str, u32)] = &[("MRI", 5), ("Ultrasound", 5), ("X-ray", 2), ("CT", 3), ("Mammogram", 2), ("DEXA", 1)];

pub const FIRST_MESSAGES: &[&str] = &[
    "How much is an MRI?",
    "Hi, do you bulk bill ultrasounds?",
    "When is your next appointment at Parramatta?",
    "My GP sent me for a CT, how do I book?",
    "Do I need a referral for an x-ray",
    "Hello! Are you open on Saturday?",
    "Price for pregnancy ultrasound please 🙏",
    "Can I bring my previous scans with me?",
    "Is there parking at the Bondi Junction clinic?",
    "I need a mammogram, what is the wait time?",
    "Chào, do you have somebody who speaks Vietnamese?",
    "How long does a DEXA scan take?",
];

pub const LATER_MESSAGES: &[&str] = &[
    "Ok thanks",
    "Is tomorrow morning possible?",
    "And with Medicare?",
    "I will ask my doctor for the referral first",
    "Can somebody call me after 3pm?",
    "Do you take claustrophobic patients? I’m a bit worried…",
    "Great, how do I book?",
    "Which clinic is closer to Blacktown",
    "Never mind, found something closer",
];

pub const YES_REPLIES: &[(&str, u32)] =
    &[("YES", 40), ("Yes", 25), ("yes", 15), ("Y", 8), ("Confirm", 4), ("ok", 4), ("Yes.", 2), ("1", 2)];
pub const NO_REPLIES: &[(&str, u32)] = &[("NO", 3), ("CANCEL", 3), ("No", 2), ("Cancel please", 1), ("Reschedule", 2)];
pub const STOP_REPLIES: &[(&str, u32)] = &[("STOP", 4), ("Stop", 2), ("Unsubscribe", 1)];
pub const FREE_REPLIES: &[&str] = &[
    "Running 10 min late sorry",
    "Can I come an hour later instead?",
    "Do I have to fast before?",
    "Yes but my husband will bring me, is there parking",
    "What do I need to bring?",
    "Can my daughter come with me?",
    "Thank you so much 😊",
    "Is this at Parramatta or Bondi?",
    "I think you have the wrong time, my letter says 9.30",
    "Who is this?",
    "I’ve lost my referral, can you ask Dr Haddad for a copy?",
];
