//! Holm's correction for several comparisons: the smallest p-value is held against all of them, the next against one
//! less, and what is not shown before is not shown after (Scandinavian Journal of Statistics 6, 1979).

/// Adjusted p-values in the order of the given ones: reject what is at most the level.
pub fn adjusted(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut greatest = 0.0_f64;
    for (rank, at) in order.into_iter().enumerate() {
        let left = (p_values.len() - rank) as f64;
        greatest = greatest.max(p_values[at] * left).min(1.0);
        adjusted[at] = greatest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_p_value_is_held_against_those_that_are_left() {
        // Worked by hand: 0.01 · 4, 0.02 · 3, 0.03 · 2, and 0.04 no smaller than the one before.
        let found = adjusted(&[0.04, 0.01, 0.03, 0.02]);
        for (found, expected) in found.iter().zip([0.06, 0.04, 0.06, 0.06]) {
            assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        }
    }

    #[test]
    fn nothing_is_surer_than_certain() {
        assert_eq!(adjusted(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(adjusted(&[]).is_empty());
    }
}
