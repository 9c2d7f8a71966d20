//! Templates of texts: header, fields, and what is refused.

use super::clinic::{compile_files, report_of};
use avatar::domain::sms::SmsCategory;

const HEADER: &str = "{{!-- category: transactional, staff: true --}}\n";

fn template(text: &str) -> String {
    report_of(&[("sms_templates/test.hbs", text)])
}

/// The text stands on line 2 and names the clinic at its end.
fn text(body: &str) -> String {
    template(&format!("{HEADER}{body} {{{{clinic.name}}}}\n"))
}

#[test]
fn a_header_says_category_and_urgency() {
    let text =
        "{{!-- category: recall, immediate: true, staff: true --}}\nHi {{contact.first_name}}, {{clinic.name}}. STOP ends this\n";
    let rules = compile_files(&[("sms_templates/test.hbs", text)]).ruleset.expect("it compiles");
    let test = &rules.templates["test"];
    assert_eq!((test.category, test.immediate), (SmsCategory::Recall, true));
    assert_eq!(test.source, "Hi {{contact.first_name}}, {{clinic.name}}. STOP ends this\n");
    assert_eq!(test.reads, ["clinic.name", "contact.first_name"]);
}

#[test]
fn a_wrong_header_is_an_error_and_a_missing_one_a_warning() {
    assert_eq!(
        template("{{!-- categry: recall --}}\n{{clinic.name}}\n"),
        "1:7[15] T0102 the header has no key `categry` | did you mean `category`?"
    );
    assert_eq!(
        template("{{!-- category: promo --}}\n{{clinic.name}}\n"),
        "1:7[15] T0102 `promo` is not a category | it can be: transactional, recall, marketing"
    );
    assert!(template("Hi {{clinic.name}}\n").starts_with("1:1[18] T0102 the template does not say what category it is"));
}

#[test]
fn fields_are_checked_with_their_place() {
    assert_eq!(text("Hi {{contact.firstname}}"), "2:6[17] T0104 a contact has no field `firstname` | did you mean `first_name`?");
    assert_eq!(text("Hi {{first_name}}"), "2:6[10] T0104 there is no `first_name` in texts | did you mean `contact.first_name`?");
    assert_eq!(text("Hi {{ bookng.date }}"), "2:7[11] T0104 there is no `bookng.date` in texts | did you mean `booking`?");
    assert_eq!(
        text("{{#if contact.opted_outt}}x{{/if}}"),
        "2:7[18] T0104 a contact has no field `opted_outt` | did you mean `opted_out`?"
    );
}

#[test]
fn a_text_does_not_tell_why_somebody_comes() {
    assert_eq!(
        text("Your MRI: the mri is at 10"),
        "2:6[3] T0204 `MRI` tells whoever sees the phone why the patient comes | leave it out; when the patient has agreed, write \
         `privacy: standard` into the first line"
    );
    assert!(text("About {{contact.interest}}").starts_with("2:9[16] T0204 `contact.interest` must not stand in a text"));
    assert!(text("{{#if contact.interest}}We know{{/if}}").is_empty(), "it may be asked");
    let agreed = "{{!-- category: transactional, staff: true, privacy: standard --}}\nYour MRI {{clinic.name}}\n";
    assert_eq!(template(agreed), "");
    assert_eq!(text("Come to the petrol station, spectacular"), "", "words, not letters");
}

#[test]
fn a_text_that_needs_more_parts_for_long_names_says_so() {
    let told = text(&format!("Hi {{{{contact.first_name}}}}, {}", "x".repeat(120)));
    assert!(told.starts_with("2:1[163] T0203 this text takes 1 part for a typical contact ("), "{told}");
    assert!(
        told.ends_with(", 2 at worst | one part has 160 characters: shorten it, or write `parts: 2` into the first line"),
        "{told}"
    );
}

#[test]
fn a_record_can_be_tested_but_not_shown() {
    assert_eq!(text("{{#if contact.next_booking}}see you {{contact.next_booking.date}}{{/if}}"), "");
    assert_eq!(
        text("Hi {{contact}}"),
        "2:6[7] T0104 `contact` is a record and cannot be shown | name one of its fields: `contact.…`"
    );
    assert_eq!(text("{{contact.touchpoints}}"), "2:3[19] T0104 `contact.touchpoints` is a list and cannot stand in a text");
    assert_eq!(text("{{contact.name.first}}"), "2:3[18] T0104 `name` has no fields of its own");
}

#[test]
fn conditions_are_fine_and_everything_else_is_refused() {
    assert_eq!(
        text("{{#if booking.location}}at {{{booking.location}}}{{else}}soon{{/if}}{{#unless contact.opted_out}}!{{/unless}}"),
        ""
    );
    for (body, why) in [
        ("{{> other}}", "a text cannot include other templates"),
        ("{{#*inline \"a\"}}x{{/inline}}", "a text cannot define templates or decorators"),
        ("{{lookup contact \"name\"}}", "`lookup` is not available"),
        ("{{#each contact.touchpoints}}x{{/each}}", "`each` is not available: blocks are `if` and `unless`"),
        ("{{#with contact}}x{{/with}}", "`with` is not available: blocks are `if` and `unless`"),
        ("{{@root.contact.name}}", "is not available"),
        ("{{../contact.name}}", "is not available"),
        ("{{#if (eq contact.source \"wix\")}}x{{/if}}", "it has no calculations"),
        ("{{upper contact.name}}", "`upper` is not available"),
    ] {
        let said = text(body);
        assert!(said.contains("T0103") && said.contains(why), "{body}: {said}");
    }
}

#[test]
fn what_cannot_be_parsed_is_reported_with_its_line() {
    assert!(text("Hi {{contact.first_name").contains("T0101"), "{}", text("Hi {{contact.first_name"));
    let said = text("a\n{{#if contact.opted_out}}b");
    assert!(said.contains("T0101"), "{said}");
}

#[test]
fn nine_blocks_in_each_other_are_too_many() {
    let nested = |n: usize| text(&format!("{}x{}", "{{#if contact.opted_out}}".repeat(n), "{{/if}}".repeat(n)));
    assert_eq!(nested(8), "");
    assert!(nested(9).contains("T0103 blocks may be nested 8 deep"), "{}", nested(9));
}

#[test]
fn a_text_says_who_sends_it_and_stays_in_the_sms_alphabet() {
    assert_eq!(
        template(&format!("{HEADER}See you soon\n")),
        "1:1[1] T0201 the text does not say who sends it | use `{{clinic.name}}`"
    );
    assert_eq!(template(&format!("{HEADER}See you soon, Harbour Imaging\n")), "");
    assert_eq!(text("Tomorrow – reply YES"), "2:10[1] T0202 `–` is not in the SMS alphabet and is sent as `-` | write `-`");
    assert_eq!(
        text("São Paulo, açaí"),
        "2:2[1] T0202 `ã` makes every part of the text 70 characters long instead of 160 | write `a`\n\
         2:13[1] T0202 `ç` makes every part of the text 70 characters long instead of 160 | write `c`\n\
         2:15[1] T0202 `í` makes every part of the text 70 characters long instead of 160 | write `i`"
    );
    assert_eq!(text("See you 👍"), "2:9[1] T0202 `👍` makes every part of the text 70 characters long instead of 160");
    assert_eq!(text("Café £5 {{!-- 👍 in a comment --}}"), "");
}

#[test]
fn a_template_has_at_most_2_kib() {
    assert!(text(&"x".repeat(2_100)).contains("R0101 a template has at most 2048 bytes"));
}
