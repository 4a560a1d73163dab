//! Documents of Elastic.
//!
//! In: a document as JSON, nested or with dotted names. Out: the event that it is. A document is an event of
//! each log source whose tests it passes; where the name of its index is told, only of those in that index.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::Told;
use super::held::{Held, Met};
use super::part::{Part, whole};
use crate::mapping::{Holds, IndexField, Mappings, Stream, Test, Words};
use crate::matcher::glob::fits;
use crate::matcher::shape::Object;
use crate::pattern::Pattern;
use crate::taxonomy::{EventKind, Field, FieldType, Log, Product};

/// The field that tells the operating system
const SYSTEM: &str = "host.os.type";

/// What stands before the name of a backing index
const BACKING: &str = ".ds-";

/// The log sources of all mappings
pub(super) struct Documents {
    readers: Vec<Reader>,
    /// Whether the ids of processes are asked for, which the entity ids of Elastic stand for
    with_ids: bool,
}

/// Reads the documents of one log source
struct Reader {
    kind: EventKind,
    met: Met,
    log: Option<Log>,
    /// The operating systems of its documents; any when empty
    products: Vec<Product>,
    patterns: Vec<Pattern>,
    tests: Vec<(String, Test)>,
    places: Vec<(Field, Vec<(Holds, IndexField)>)>,
    /// The index fields of the ids of the process and of its parent
    ids: Option<[String; 2]>,
}

/// A document, with what it tells of its operating system
struct Document<'d, 'a> {
    object: &'d Object<'a>,
    product: Option<Product>,
    /// What stands between the folders of its paths
    separator: char,
}

impl Documents {
    /// The documents of these mappings, with the fields that are asked for, or with all
    pub(super) fn of(mappings: &Mappings, asked: Option<&HashSet<Field>>) -> Documents {
        let readers = mappings.all_streams().map(|stream| Reader::of(stream, asked));
        let mut readers: Vec<Reader> = readers.collect();
        // What a category says of a field goes before what a log says: a log may use the name otherwise.
        readers.sort_by_key(|reader| matches!(reader.kind, EventKind::Log(_)));
        let is_asked = |name: &str| {
            let field = Field::named(name);
            asked.is_none_or(|asked| field.is_some_and(|field| asked.contains(&field)))
        };
        Documents { readers, with_ids: is_asked("ProcessGuid") || is_asked("ParentProcessGuid") }
    }

    /// The event of a document; `None` when it is of no known log source
    ///
    /// `alone` says that nothing else tells what its names mean.
    pub(super) fn read(
        &self,
        (document, hit): (&Object<'_>, &Object<'_>),
        alone: bool,
    ) -> Option<Told> {
        let index = index_of(document, hit);
        let is_in = |reader: &&Reader| {
            let name = index.as_deref().unwrap_or_default();
            reader.patterns.iter().any(|pattern| fits(pattern, name))
        };
        let is_known = index.is_some() && self.readers.iter().any(|reader| is_in(&reader));
        let systems = values(document, SYSTEM);
        let product = systems.first().and_then(|name| Product::named(name));
        let is_windows = systems.iter().all(|name| name == Product::Windows.name());
        let separator = if is_windows { '\\' } else { '/' };
        let document = Document { object: document, product, separator };
        let mut told = Told::default();
        for reader in self.readers.iter().filter(|reader| !is_known || is_in(reader)) {
            // Where only the index tells a log source, its documents are known by nothing else.
            if reader.takes(&document) && (is_known || reader.is_told()) {
                if alone {
                    reader.met.note();
                }
                told.is_of(&reader.kind, reader.log.as_ref(), product);
                reader.read(&document, &mut told);
                if let (true, Some(ids)) = (self.with_ids, &reader.ids) {
                    let names = ["ProcessGuid", "ParentProcessGuid"].into_iter().zip(ids);
                    names.for_each(|(name, id)| told.add(name, document.values(id)));
                }
            }
        }
        (!told.kinds.is_empty()).then_some(told)
    }

    /// Adds the fields of the log sources that were met
    pub(super) fn add_held(&self, held: &mut Held) {
        for reader in self.readers.iter().filter(|reader| reader.met.is()) {
            held.add(&reader.kind, reader.places.iter().map(|(field, _)| field.clone()));
        }
    }
}

impl Reader {
    fn of(stream: &Stream, asked: Option<&HashSet<Field>>) -> Reader {
        let mut tested: Vec<&Field> = Vec::new();
        for (_, test) in &stream.rows {
            if let Test::With(field) = test {
                tested.push(field);
            }
        }
        let is_asked = |field: &Field| {
            asked.is_none_or(|asked| asked.contains(field)) || tested.contains(&field)
        };
        let places = stream.places().filter(|(field, _)| is_asked(field));
        let patterns = stream.indices.iter().chain(&stream.on_request);
        Reader {
            kind: stream.events.clone(),
            met: Met::default(),
            log: stream.log().cloned(),
            products: stream.products().to_vec(),
            patterns: patterns.map(|index| Pattern::read(&index.pattern)).collect(),
            tests: stream.rows.clone(),
            places: places.map(|(field, parts)| (field.clone(), parts.to_vec())).collect(),
            ids: stream.ancestry.as_ref().map(|ids| [ids.process.clone(), ids.parent.clone()]),
        }
    }

    /// Whether its documents are known by their fields
    fn is_told(&self) -> bool {
        self.tests.iter().any(|(_, test)| *test != Test::Product)
    }

    /// Whether a document is of this log source
    fn takes(&self, document: &Document<'_, '_>) -> bool {
        let is_among = |product| self.products.contains(&product);
        (self.products.is_empty() || document.product.is_none_or(is_among))
            && self.tests.iter().all(|(name, test)| match test {
                Test::Is(wanted) => {
                    document.values(name).iter().any(|value| wanted.contains(value))
                }
                // An operating system that is not told may be the one that is asked for.
                Test::Product => true,
                Test::With(field) => !self.field(field, document).is_empty(),
            })
    }

    fn read(&self, document: &Document<'_, '_>, told: &mut Told) {
        for (field, parts) in &self.places {
            let values = document.field(field, parts);
            let is_untold = values.is_empty() && field.kind() == FieldType::Action;
            told.add(field.name(), if is_untold { document.action() } else { values });
        }
    }

    fn field(&self, field: &Field, document: &Document<'_, '_>) -> Vec<String> {
        let place = self.places.iter().find(|(known, _)| known == field);
        place.map_or_else(Vec::new, |(_, parts)| document.field(field, parts))
    }
}

impl Document<'_, '_> {
    /// The texts at a path
    fn values(&self, path: &str) -> Vec<String> {
        values(self.object, path)
    }

    /// The values of a field
    fn field(&self, field: &Field, parts: &[(Holds, IndexField)]) -> Vec<String> {
        let parts = parts.iter().map(|(holds, place)| (*holds, self.said(place)));
        whole(field, &parts.collect::<Vec<Part>>(), self.separator)
    }

    /// The values of the field that an index field says so
    fn said(&self, place: &IndexField) -> Vec<String> {
        let values = self.values(&place.name);
        match &place.words {
            Words::Own => values,
            Words::Of(words) => {
                let value = |word: &String| words.iter().find(|(_, known)| known == word);
                let value = values.iter().find_map(value).map(|(value, _)| value.clone());
                value.into_iter().collect()
            }
            Words::ExistsFor(value) if !values.is_empty() => vec![value.clone()],
            Words::ExistsFor(_) => Vec::new(),
            Words::False(words) => {
                let truth = |word: &String| !words.contains(word);
                values.first().map(|word| truth(word).to_string()).into_iter().collect()
            }
        }
    }

    /// The action on a file or a registry key, where its log source has no field for it
    ///
    /// Sysmon's word for it goes before. Source: ECS, allowed values of `event.type`.
    fn action(&self) -> Vec<String> {
        if self.object.at("winlog.event_data.EventType").is_some() {
            return Vec::new();
        }
        let types = self.values("event.type");
        let known = [("creation", "created"), ("deletion", "deleted")];
        let actions = known.iter().filter(|(word, _)| types.iter().any(|known| known == word));
        actions.map(|(_, action)| (*action).to_owned()).collect()
    }
}

/// The texts at a path
fn values(document: &Object<'_>, path: &str) -> Vec<String> {
    let Some(value) = document.at(path) else { return Vec::new() };
    let mut texts = Vec::new();
    if let Ok(value) = serde_json::from_str(value) {
        add_texts(value, &mut texts);
    }
    texts
}

fn add_texts(value: Json, texts: &mut Vec<String>) {
    match value {
        Json::Null | Json::Object(_) => {}
        Json::String(text) => texts.push(text),
        Json::Bool(truth) => texts.push(truth.to_string()),
        Json::Number(number) => texts.push(number.to_string()),
        Json::Array(all) => all.into_iter().for_each(|one| add_texts(one, texts)),
    }
}

/// The name of the index that a document is in, without what Elasticsearch writes before it
fn index_of(document: &Object<'_>, hit: &Object<'_>) -> Option<String> {
    let named = values(hit, "_index").into_iter().next();
    let named = named.map(|name| {
        let name = name.rsplit_once(':').map_or(name.as_str(), |(_, local)| local).to_owned();
        name.strip_prefix(BACKING).map_or(name.clone(), ToOwned::to_owned)
    });
    named.or_else(|| {
        let part = |name: &str| values(document, &format!("data_stream.{name}")).into_iter().next();
        let space = part("namespace").unwrap_or_else(|| "default".to_owned());
        Some(format!("{}-{}-{space}", part("type")?, part("dataset")?))
    })
}
