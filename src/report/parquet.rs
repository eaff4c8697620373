//! `metrics.parquet` and `seeds.parquet`: the tables of the same names with typed columns, for data frames and DuckDB.
//! Built with the feature `parquet` only.

use crate::campaign::outcome::CampaignOutcome;
use parquet::basic::Encoding;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::sync::Arc;

/// The values of one column.
enum Column {
    Words(Vec<ByteArray>),
    Whole(Vec<i64>),
    Real(Vec<f64>),
}

/// The files, by name.
pub fn files(outcome: &CampaignOutcome) -> [(&'static str, Vec<u8>); 2] {
    [("metrics.parquet", metrics(outcome)), ("seeds.parquet", seeds(outcome))]
}

/// One row per variant, seed and metric that has a value, in the metric's own unit.
pub fn metrics(outcome: &CampaignOutcome) -> Vec<u8> {
    let (mut variants, mut seeds, mut names, mut values) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for variant in &outcome.variants {
        for run in &variant.runs {
            for metric in &run.metrics {
                variants.push(ByteArray::from(variant.plan.variant.as_str()));
                seeds.push(run.seed as i64);
                names.push(ByteArray::from(&*metric.name));
                values.push(metric.value);
            }
        }
    }
    let schema = "message metrics {
        required binary variant (UTF8);
        required int64 seed (INTEGER(64, false));
        required binary metric (UTF8);
        required double value;
    }";
    written(schema, vec![Column::Words(variants), Column::Whole(seeds), Column::Words(names), Column::Real(values)])
}

/// One row per variant, seed and invariant: its verdict and its violations, with the run's digest and size.
pub fn seeds(outcome: &CampaignOutcome) -> Vec<u8> {
    let mut words: [Vec<ByteArray>; 4] = Default::default();
    let mut whole: [Vec<i64>; 5] = Default::default();
    for variant in &outcome.variants {
        for run in &variant.runs {
            for judged in &run.invariants {
                let row = [&variant.plan.variant, &run.digest, judged.name, judged.verdict.name()];
                words.iter_mut().zip(row).for_each(|(column, word)| column.push(ByteArray::from(word)));
                let row = [run.seed, run.events, run.draws, judged.exercised, judged.violations];
                whole.iter_mut().zip(row).for_each(|(column, count)| column.push(count as i64));
            }
        }
    }
    let schema = "message seeds {
        required binary variant (UTF8);
        required int64 seed (INTEGER(64, false));
        required binary digest (UTF8);
        required int64 events (INTEGER(64, false));
        required int64 draws (INTEGER(64, false));
        required binary invariant (UTF8);
        required binary verdict (UTF8);
        required int64 exercised (INTEGER(64, false));
        required int64 violations (INTEGER(64, false));
    }";
    let [variant, digest, invariant, verdict] = words.map(Column::Words);
    let [seed, events, draws, exercised, violations] = whole.map(Column::Whole);
    written(schema, vec![variant, seed, digest, events, draws, invariant, verdict, exercised, violations])
}

/// One row group of the columns of a schema, the same bytes for the same values.
fn written(schema: &str, columns: Vec<Column>) -> Vec<u8> {
    const OWN: &str = "the schema is written here, and memory takes what is written";
    let schema = Arc::new(parse_message_type(schema).expect(OWN));
    let properties = WriterProperties::builder()
        .set_created_by(concat!("windtunnel ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_encoding(Encoding::PLAIN)
        .build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).expect(OWN);
    let mut rows = writer.next_row_group().expect(OWN);
    for column in columns {
        let mut into = rows.next_column().expect(OWN).expect("the schema has as many columns");
        match column {
            Column::Words(values) => into.typed::<ByteArrayType>().write_batch(&values, None, None).expect(OWN),
            Column::Whole(values) => into.typed::<Int64Type>().write_batch(&values, None, None).expect(OWN),
            Column::Real(values) => into.typed::<DoubleType>().write_batch(&values, None, None).expect(OWN),
        };
        into.close().expect(OWN);
    }
    rows.close().expect(OWN);
    writer.close().expect(OWN);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::outcome::fixture::split_brain;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    fn read(bytes: &[u8]) -> SerializedFileReader<std::fs::File> {
        let mut file = tempfile::tempfile().expect("a temporary file");
        std::io::Write::write_all(&mut file, bytes).expect("it is writable");
        SerializedFileReader::new(file).expect("it is Parquet")
    }

    #[test]
    fn every_metric_of_every_run_is_read_again_with_its_type() {
        let reader = read(&metrics(&split_brain()));
        let rows: Vec<_> = reader.get_row_iter(None).expect("it has rows").map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len(), 40 * 7);
        assert_eq!(rows[0].get_string(0).expect("a word"), "base");
        assert_eq!((rows[0].get_ulong(1).expect("a seed"), rows[0].get_double(3).expect("a value")), (0, 120_000.0));
        assert_eq!(metrics(&split_brain()), metrics(&split_brain()), "the same bytes");
    }

    #[test]
    fn every_verdict_of_every_run_is_a_row() {
        let reader = read(&seeds(&split_brain()));
        assert_eq!(reader.metadata().file_metadata().num_rows(), 40 * 4);
    }
}
