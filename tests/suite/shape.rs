//! The shape of single files: functions that fit on a screen, and imports inside a room that run
//! one way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::Visit;
use syn::{Item, UseTree};

use crate::support::root;

/// The most lines of a function, but for those below
const MOST_LINES: usize = 60;

/// Longer functions: the file, the function and why it is one piece
const LONG: &[(&str, &str, &str)] = &[
    ("backend/elastic/view", "detection", "the keys of a rule as Kibana imports it, in its order"),
    ("backend/sentinel/arm", "template", "the keys of an ARM template, in Microsoft's order"),
    ("definition/condition", "build", "the operators of a condition, over one tree of pairs"),
    ("query/kusto/execute/node", "on", "the forms of an expression, each in a few lines"),
    ("ir/link", "one", "a correlation takes what each step before has gathered"),
];

/// Files that import each other, and why
const CIRCLES: &[(&[&str], &str)] = &[
    (
        &[
            "query/kusto/execute/expand",
            "query/kusto/execute/group",
            "query/kusto/execute/plan",
            "query/kusto/execute/run",
            "query/kusto/execute/step",
        ],
        "a step and an expression may hold a whole query: `join`, `mv-apply`, `toscalar`",
    ),
    (
        &["query/kusto/execute/node", "query/kusto/execute/window"],
        "the arguments of `prev` are expressions",
    ),
];

/// A module: its path below `src`, and whether it stands for its folder
type Module = Vec<String>;

/// Every module with the items of its file
fn modules() -> BTreeMap<Module, (bool, syn::File)> {
    let files = walkdir::WalkDir::new(root().join("src")).sort_by_file_name().into_iter();
    let files = files.map(|entry| entry.unwrap().into_path());
    let rust = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.map(|path| {
        let below = path.strip_prefix(root().join("src")).unwrap().with_extension("");
        let mut module: Module =
            below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let named = module.last().is_some_and(|last| last == "mod" || last == "lib");
        if named {
            module.pop();
        }
        let folder = named || path.with_extension("").is_dir();
        let text = fs::read_to_string(&path).unwrap();
        (module, (folder, syn::parse_file(&text).unwrap()))
    })
    .collect()
}

/// Functions with their number of lines
#[derive(Default)]
struct Functions(Vec<(String, usize)>);

impl Functions {
    fn note(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let first = signature.fn_token.span.start().line;
        let last = block.brace_token.span.close().end().line;
        self.0.push((signature.ident.to_string(), last + 1 - first));
    }
}

impl<'f> Visit<'f> for Functions {
    fn visit_item_fn(&mut self, function: &'f syn::ItemFn) {
        self.note(&function.sig, &function.block);
    }

    fn visit_impl_item_fn(&mut self, function: &'f syn::ImplItemFn) {
        self.note(&function.sig, &function.block);
    }

    fn visit_item_mod(&mut self, module: &'f syn::ItemMod) {
        if !is_test(&module.attrs) {
            syn::visit::visit_item_mod(self, module);
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|one| one.path().is_ident("cfg"))
}

#[test]
fn functions_fit_on_a_screen_or_say_why_not() {
    let mut long = BTreeSet::new();
    for (module, (_, file)) in modules() {
        let mut functions = Functions::default();
        functions.visit_file(&file);
        let above = functions.0.into_iter().filter(|(_, lines)| *lines > MOST_LINES);
        long.extend(above.map(|(name, lines)| (module.join("/"), name, lines)));
    }
    let named = |(file, name, _): &(String, String, usize)| {
        LONG.iter().any(|(known, function, _)| known == file && function == name)
    };
    let unknown: Vec<_> = long.iter().filter(|one| !named(one)).collect();
    assert!(unknown.is_empty(), "above {MOST_LINES} lines: {unknown:#?}");
    let gone = LONG.iter().filter(|(file, name, _)| {
        !long.iter().any(|(known, function, _)| known == file && function == name)
    });
    assert_eq!(gone.count(), 0, "a function that is named is short by now");
}

/// The paths that a `use` names, group by group
fn paths(tree: &UseTree, before: &[String], all: &mut Vec<Module>) {
    let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
    match tree {
        UseTree::Path(path) => paths(&path.tree, &with(&path.ident), all),
        UseTree::Name(name) => all.push(with(&name.ident)),
        UseTree::Rename(name) => all.push(with(&name.ident)),
        UseTree::Glob(_) => all.push(before.to_vec()),
        UseTree::Group(group) => group.items.iter().for_each(|one| paths(one, before, all)),
    }
}

/// A path as seen from the crate; `None` for one into another crate
fn absolute(path: &[String], mut at: Module) -> Option<Module> {
    let mut rest = path;
    match rest.first()?.as_str() {
        "crate" => {
            at.clear();
            rest = &rest[1..];
        }
        "self" => rest = &rest[1..],
        "super" => {
            while rest.first().is_some_and(|part| part == "super") {
                at.pop();
                rest = &rest[1..];
            }
        }
        _ => return None,
    }
    at.extend_from_slice(rest);
    Some(at)
}

/// Which files of one room each file imports; a folder's own file names what stands in it
fn imports(all: &BTreeMap<Module, (bool, syn::File)>) -> BTreeMap<Module, BTreeSet<Module>> {
    let mut imports = BTreeMap::new();
    for (module, (folder, file)) in all {
        let mut used = Vec::new();
        for item in &file.items {
            if let Item::Use(one) = item {
                paths(&one.tree, &[], &mut used);
            }
        }
        let known = |path: Module| {
            let longest = (1..=path.len()).rev().map(|length| path[..length].to_vec());
            longest.into_iter().find(|start| all.contains_key(start))
        };
        let theirs = used.iter().filter_map(|path| known(absolute(path, module.clone())?));
        let theirs = theirs
            .filter(|other| other != module && other[0] == module[0] && !all[other].0 && !folder);
        imports.insert(module.clone(), theirs.collect::<BTreeSet<_>>());
    }
    imports
}

/// Everything that can be reached from a file
fn reached<'i>(
    imports: &'i BTreeMap<Module, BTreeSet<Module>>,
    from: &'i Module,
) -> BTreeSet<&'i Module> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(file) = next.pop() {
        next.extend(imports[file].iter().filter(|other| seen.insert(*other)));
    }
    seen
}

#[test]
fn files_of_a_room_import_one_way_or_say_why_not() {
    let all = modules();
    let imports = imports(&all);
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        imports.keys().map(|file| (file, reached(&imports, file))).collect();
    let mut circles: BTreeSet<Vec<String>> = BTreeSet::new();
    for (file, theirs) in &reached {
        let back = theirs.iter().filter(|other| reached[*other].contains(file));
        let circle: BTreeSet<String> = back.map(|other| other.join("/")).collect();
        if !circle.is_empty() {
            circles.insert(circle.into_iter().collect());
        }
    }
    let named: BTreeSet<Vec<String>> =
        CIRCLES.iter().map(|(files, _)| files.iter().map(ToString::to_string).collect()).collect();
    assert_eq!(circles, named, "{}", Path::new("src").display());
}
