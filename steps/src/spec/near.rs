//! How near two words are.

/// How many letters have to be put in, taken out or changed.
pub fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut next = vec![line + 1];
        for ((other, above), pair) in to.iter().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or(0);
            let changed = pair + usize::from(letter != *other);
            next.push(changed.min(left + 1).min(above + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted() {
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("E0101", "E0101"), 0);
        assert_eq!(distance("E011", "E0101"), 1);
        assert_eq!(distance("bandwith", "bandwidth"), 1);
        assert_eq!(distance("ä", "ab"), 2);
    }
}
