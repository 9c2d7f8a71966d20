//! Letters with marks, and the plain ones that people read in their place.

/// The plain letters of one with marks, in the same case: `ễ` → `e`, `Đ` → `D`, `ß` → `ss`. `None` when it is no such letter.
#[must_use]
pub fn plain(letter: char) -> Option<String> {
    let base = base(letter)?;
    Some(if letter.is_uppercase() { base.to_uppercase() } else { base.to_owned() })
}

/// In small letters. The blocks of Unicode keep the letters of one base together.
const fn base(letter: char) -> Option<&'static str> {
    Some(match letter {
        'À'..='Å' | 'à'..='å' | 'Ā'..='ą' | 'Ǎ' | 'ǎ' | 'Ạ'..='ặ' => "a",
        'Æ' | 'æ' => "ae",
        'Ç' | 'ç' | 'Ć'..='č' => "c",
        'Ð' | 'ð' | 'Ď'..='đ' => "d",
        'È'..='Ë' | 'è'..='ë' | 'Ē'..='ě' | 'Ẹ'..='ệ' => "e",
        'Ĝ'..='ģ' => "g",
        'Ĥ'..='ħ' => "h",
        'Ì'..='Ï' | 'ì'..='ï' | 'Ĩ'..='ı' | 'Ǐ' | 'ǐ' | 'Ỉ'..='ị' => "i",
        'Ĵ' | 'ĵ' => "j",
        'Ķ' | 'ķ' => "k",
        'Ĺ'..='ł' => "l",
        'Ñ' | 'ñ' | 'Ń'..='ň' => "n",
        'Ò'..='Ö' | 'Ø' | 'ò'..='ö' | 'ø' | 'Ō'..='ő' | 'Ơ' | 'ơ' | 'Ǒ' | 'ǒ' | 'Ọ'..='ợ' => "o",
        'Œ' | 'œ' => "oe",
        'Ŕ'..='ř' => "r",
        'Ś'..='š' | 'Ș' | 'ș' => "s",
        'ß' => "ss",
        'Ţ'..='ŧ' | 'Ț' | 'ț' => "t",
        'Þ' | 'þ' => "th",
        'Ù'..='Ü' | 'ù'..='ü' | 'Ũ'..='ų' | 'Ư' | 'ư' | 'Ǔ' | 'ǔ' | 'Ụ'..='ự' => "u",
        'Ŵ' | 'ŵ' => "w",
        'Ý' | 'ý' | 'ÿ' | 'Ŷ'..='Ÿ' | 'Ỳ'..='ỹ' => "y",
        'Ź'..='ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sydney_are_readable_without_marks() {
        let plain = |name: &str| name.chars().map(|c| plain(c).unwrap_or_else(|| c.to_string())).collect::<String>();
        assert_eq!(plain("Nguyễn Đặng"), "Nguyen Dang");
        assert_eq!(plain("Zoë Müller-Weiß"), "Zoe Muller-Weiss");
        assert_eq!(plain("Łukasz Wałęsa"), "Lukasz Walesa");
        assert_eq!(plain("O'Brien 王"), "O'Brien 王");
    }
}
