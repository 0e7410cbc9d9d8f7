//! Whatever a sync file holds: it is told in every format, or refused with an error. JSON stays
//! JSON, CSV keeps its columns, and no name steers a terminal or becomes a tag.
#![no_main]

use std::fs;
use std::path::Path;

use baton_northflank::c1z::ScratchDirectory;
use baton_northflank::report::access::{
    AccessReport, Error, Filter, TableStyle, csv, json, markdown, table,
};
use baton_northflank::report::page::{HtmlOptions, page};
use libfuzzer_sys::{Corpus, fuzz_target};

/// What Markdown shows in an element of its own, so that it marks nothing up.
const MARKED: [char; 5] = ['@', '#', '$', ':', '.'];

const LOOK: TableStyle = TableStyle { colour: false, width: Some(80) };

fuzz_target!(|data: &[u8]| -> Corpus {
    let mut file = b"C1ZF\0".to_vec();
    file.extend(zstd::encode_all(data, 1).expect("packing in memory"));
    let room = tempfile::tempdir().expect("a directory");
    let path = room.path().join("sync.c1z");
    fs::write(&path, &file).expect("the file is written");
    for asked in [Filter::default(), Filter { users: vec!["ada".to_owned()], ..Filter::default() }]
    {
        tell(&path, &asked);
    }
    Corpus::Keep
});

fn tell(path: &Path, asked: &Filter) {
    let scratch = ScratchDirectory::new().expect("a directory");
    let Ok(access) = AccessReport::open(path, None, asked, &scratch) else { return };
    let told = |tell: &dyn Fn(&mut Vec<u8>) -> Result<(), Error>| {
        let mut text = Vec::new();
        tell(&mut text).ok().map(|()| String::from_utf8(text).expect("it is text"))
    };
    let steers = |char: char| {
        char != '\n' && (char.is_control() || ('\u{202a}'..='\u{202e}').contains(&char))
    };
    if let Some(text) = told(&|text| json(&access, text)) {
        serde_json::from_str::<serde_json::Value>(&text).expect("it is JSON");
        assert!(!text.contains(steers));
    }
    if let Some(text) = told(&|text| table(&access, LOOK, text)) {
        assert!(!text.contains(steers));
    }
    if let Some(text) = told(&|text| markdown(&access, text)) {
        assert!(!text.contains(steers));
        let text = MARKED
            .iter()
            .fold(text, |text, char| text.replace(&format!("<span>{char}</span>"), ""));
        assert!(!text.contains('<'));
    }
    if let Some(text) = told(&|text| csv(&access, text)) {
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        for row in reader.records() {
            let row = row.expect("each row has the header's columns");
            let begins = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
            assert!(row.iter().all(|cell| !cell.starts_with(begins)));
        }
    }
    if let Some(text) = told(&|text| page(&access, &HtmlOptions::default(), text)) {
        assert_eq!(text.matches("<script").count(), 1);
        assert!(text.ends_with("</html>\n") || text.ends_with("</html>"));
    }
}
