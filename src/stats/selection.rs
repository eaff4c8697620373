//! Choosing the best of several systems on common random numbers: the fully sequential procedure of Kim and Nelson
//! (ACM Transactions on Modeling and Computer Simulation 11, 2001). With the stated confidence the one that is left is the
//! best, unless others are within the indifference of it; what is clearly worse is left out early.

/// Observations of every system before the first is left out.
pub const FIRST: usize = 20;

/// A selection under way. The smaller the better.
#[derive(Clone, Debug)]
pub struct Selection {
    indifference: f64,
    /// h² of the procedure, by which variances of differences are scaled.
    scale: f64,
    /// The variances of the differences of the first observations.
    variances: Vec<Vec<f64>>,
    sums: Vec<f64>,
    observations: u64,
    /// After how many observations a system was left out; `None`: it is in.
    out: Vec<Option<u64>>,
}

impl Selection {
    /// Begins with the first observations of every system: `first[i]` are those of system `i`, all as many, at least
    /// [`FIRST`], paired by their place. Those that are not `eligible` may not be chosen, however good they are.
    pub fn new(first: &[Vec<f64>], eligible: &[bool], indifference: f64, alpha: f64) -> Selection {
        let (k, n) = (first.len(), first[0].len());
        // η = ((2α/(k−1))^(−2/(n−1)) − 1) / 2, and h² = 2η(n−1).
        let spread = libm::pow(2.0 * alpha / (k as f64 - 1.0), -2.0 / (n as f64 - 1.0));
        let scale = (spread - 1.0) * (n as f64 - 1.0);
        let variance = |i: usize, j: usize| {
            let differences: Vec<f64> = first[i].iter().zip(&first[j]).map(|(a, b)| a - b).collect();
            let mean = differences.iter().sum::<f64>() / n as f64;
            differences.iter().map(|one| (one - mean) * (one - mean)).sum::<f64>() / (n as f64 - 1.0)
        };
        let mut selection = Selection {
            indifference,
            scale,
            variances: (0..k).map(|i| (0..k).map(|j| variance(i, j)).collect()).collect(),
            sums: first.iter().map(|values| values.iter().sum()).collect(),
            observations: n as u64,
            out: eligible.iter().map(|eligible| (!eligible).then_some(n as u64)).collect(),
        };
        selection.screen();
        selection
    }

    /// One more observation of every system that is in; those of the others are not looked at.
    pub fn add(&mut self, values: &[f64]) {
        for (sum, value) in self.sums.iter_mut().zip(values) {
            *sum += value;
        }
        self.observations += 1;
        self.screen();
    }

    pub fn is_in(&self, system: usize) -> bool {
        self.out[system].is_none()
    }

    /// After how many observations a system was left out.
    pub fn left_out(&self, system: usize) -> Option<u64> {
        self.out[system]
    }

    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// The mean of a system that is in.
    pub fn mean(&self, system: usize) -> f64 {
        self.sums[system] / self.observations as f64
    }

    /// The only one that is left; where several are and no further observation would tell them apart by the
    /// indifference, the one with the smallest mean, of equal ones the first.
    pub fn best(&self) -> Option<usize> {
        let left: Vec<usize> = (0..self.out.len()).filter(|system| self.is_in(*system)).collect();
        let decided = left.iter().all(|&i| left.iter().all(|&j| i == j || self.allowed(i, j) <= 0.0));
        let best = left.iter().copied().min_by(|&i, &j| self.mean(i).total_cmp(&self.mean(j)));
        best.filter(|_| decided)
    }

    /// By how much the mean of a system may be above that of another one, by chance and indifference.
    fn allowed(&self, i: usize, j: usize) -> f64 {
        let r = self.observations as f64;
        let least = self.scale * self.variances[i][j] / (self.indifference * self.indifference);
        (self.indifference / (2.0 * r) * (least - r)).max(0.0)
    }

    /// Leaves out what is worse than another by more than chance and indifference allow.
    fn screen(&mut self) {
        let left: Vec<usize> = (0..self.out.len()).filter(|system| self.is_in(*system)).collect();
        let worse = |i: usize| left.iter().any(|&j| i != j && self.mean(i) > self.mean(j) + self.allowed(i, j));
        let leaving: Vec<usize> = left.iter().copied().filter(|&i| worse(i)).collect();
        for i in leaving {
            self.out[i] = Some(self.observations);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::StreamKey;
    use crate::kernel::stream::unit_interval;

    /// Normal by twelve uniforms, which is exact enough for means.
    fn noise(key: StreamKey, round: u64, i: u64) -> f64 {
        (0..12).map(|part| unit_interval(key.word(round * 1_000_000 + i, part))).sum::<f64>() - 6.0
    }

    /// Five systems, the first the best by exactly the indifference; `common` is the share of variance they share.
    fn selected(round: u64, common: f64) -> (usize, u64) {
        let (delta, k) = (0.3, 5_usize);
        let of = |name: &str| StreamKey::of_seed(4).child(name);
        let shared = of("shared");
        let own: Vec<StreamKey> = (0..k).map(|i| of(["a", "b", "c", "d", "e"][i])).collect();
        let value = |i: usize, n: u64| {
            let both = libm::sqrt(common) * noise(shared, round, n);
            let alone = libm::sqrt(1.0 - common) * noise(own[i], round, n);
            both + alone + if i == 0 { 0.0 } else { delta }
        };
        let first: Vec<Vec<f64>> = (0..k).map(|i| (0..FIRST as u64).map(|n| value(i, n)).collect()).collect();
        let mut selection = Selection::new(&first, &[true; 5], delta, 0.05);
        let mut runs = (k * FIRST) as u64;
        while selection.best().is_none() {
            let n = selection.observations();
            runs += (0..k).filter(|i| selection.is_in(*i)).count() as u64;
            selection.add(&(0..k).map(|i| value(i, n)).collect::<Vec<_>>());
        }
        (selection.best().expect("one is left"), runs)
    }

    #[test]
    fn the_best_is_chosen_at_least_as_often_as_promised_and_common_numbers_save_runs() {
        let rounds = 200;
        let correct = |common: f64| {
            let found: Vec<(usize, u64)> = (0..rounds).map(|round| selected(round, common)).collect();
            let right = found.iter().filter(|(best, _)| *best == 0).count() as f64 / rounds as f64;
            (right, found.iter().map(|(_, runs)| runs).sum::<u64>() as f64 / rounds as f64)
        };
        let (right, runs) = correct(0.8);
        let (right_apart, runs_apart) = correct(0.0);
        // methods.md 1.4: five systems, δ = 0.3: 0.99 are right, with about 2.6 times fewer runs at a correlation of 0.8.
        assert!(right >= 0.95 && right_apart >= 0.95, "{right} and {right_apart}");
        assert!(runs_apart / runs > 2.0, "{runs} and {runs_apart} runs");
    }

    #[test]
    fn of_equal_systems_the_first_is_chosen_at_once_and_not_after_all_the_seeds_there_are() {
        let same: Vec<Vec<f64>> = vec![vec![0.0; 20]; 3];
        assert_eq!(Selection::new(&same, &[true; 3], 1.0, 0.05).best(), Some(0));
        assert_eq!(Selection::new(&same, &[false, true, true], 1.0, 0.05).best(), Some(1));
        assert_eq!(Selection::new(&same, &[false; 3], 1.0, 0.05).best(), None);
    }

    #[test]
    fn what_may_not_be_chosen_is_left_out_and_the_next_one_is_chosen() {
        let first: Vec<Vec<f64>> = (0..2).map(|i| (0..20).map(|n| f64::from(i * 100 + n % 3)).collect()).collect();
        let selection = Selection::new(&first, &[true; 2], 1.0, 0.05);
        assert_eq!(selection.best(), Some(0));
        assert_eq!(selection.left_out(1), Some(20));
        let near: Vec<Vec<f64>> = (0..2).map(|i| (0..20).map(|n| f64::from(i + n * (i + 1) % 7)).collect()).collect();
        assert_eq!(Selection::new(&near, &[true; 2], 0.1, 0.05).best(), None);
        assert_eq!(Selection::new(&near, &[false, true], 0.1, 0.05).best(), Some(1));
        assert_eq!(Selection::new(&first, &[false, true], 1.0, 0.05).best(), Some(1), "it leaves nobody out itself");
    }
}
