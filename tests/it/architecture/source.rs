//! The sources of the crate, and what each file names of the others.
//!
//! A file depends on the file that *defines* what it names, in a `use` line or in a path
//! anywhere else, macros included. A re-export hides nothing: it is followed to what it
//! exports, and is itself a dependency of the file that it stands in. `mod` lines say where a
//! file is, not what it needs: they count for nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A module's place, from the crate's root.
type Module = Vec<String>;

/// The sources of the crate.
pub(super) struct Sources {
    files: BTreeMap<Module, File>,
}

/// A source file.
#[derive(Default)]
struct File {
    /// Its path, from `src/`.
    path: String,
    text: String,
    /// The file's own module first, then those that are written out in it.
    scopes: Vec<Scope>,
    /// Modules in files of their own that are for tests only.
    test_modules: BTreeSet<String>,
}

/// A module within a file.
#[derive(Default)]
struct Scope {
    module: Module,
    /// What `use` lines bring into it, by the names that they give it.
    names: BTreeMap<String, Vec<String>>,
    /// Paths that it names.
    mentions: Vec<Mention>,
    /// Every word of its code, tests left out: `name`, `path::of::names`.
    words: Vec<String>,
}

struct Mention {
    path: Vec<String>,
    in_tests: bool,
}

/// One file needs another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Dependency {
    /// Who needs, from `src/`.
    pub(super) from: String,
    /// Who is needed.
    pub(super) to: String,
    /// Whether only unit tests need it.
    pub(super) in_tests: bool,
}

impl Sources {
    /// All files below `src/`.
    pub(super) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut texts = Vec::new();
        read_directory(&root, &root, &mut texts);
        Self::new(texts)
    }

    /// Files by their paths from `src/`.
    pub(super) fn new(texts: impl IntoIterator<Item = (String, String)>) -> Self {
        let files = texts.into_iter().map(|(path, text)| {
            let module = module_of(&path);
            let mut file = File { path, ..File::default() };
            file.scopes.push(Scope { module: module.clone(), ..Scope::default() });
            file.walk(text.parse().unwrap(), 0, false);
            file.text = text;
            (module, file)
        });
        Self { files: files.collect() }
    }

    /// Paths from `src/`, and what stands there.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.values().map(|file| (file.path.as_str(), file.text.as_str()))
    }

    /// Words of code that is not for tests only, each with the file that it stands in: names
    /// and whole paths.
    pub(super) fn words(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = self.files.iter().filter(|(module, _)| !self.is_test(module));
        files.flat_map(|(_, file)| {
            let words = file.scopes.iter().flat_map(|scope| &scope.words);
            words.map(|word| (file.path.as_str(), word.as_str()))
        })
    }

    /// Who needs whom.
    pub(super) fn dependencies(&self) -> BTreeSet<Dependency> {
        let mut found = BTreeSet::new();
        for (module, file) in &self.files {
            let is_test = self.is_test(module);
            for scope in &file.scopes {
                for mention in &scope.mentions {
                    let target = self.target(scope, &mention.path, 0);
                    if let Some(target) = target.filter(|target| target != module) {
                        found.insert(Dependency {
                            from: file.path.clone(),
                            to: self.files[&target].path.clone(),
                            in_tests: is_test || mention.in_tests,
                        });
                    }
                }
            }
        }
        found
    }

    /// `use` lines that bring in whatever another file has: nobody could say what they need.
    pub(super) fn globs(&self) -> Vec<String> {
        let mut found = Vec::new();
        for file in self.files.values() {
            for scope in &file.scopes {
                let globs = scope.mentions.iter().map(|mention| &mention.path);
                for path in globs.filter(|path| path.last().unwrap() == "*") {
                    let module = self.absolute(scope, &path[..path.len() - 1], 0);
                    let is_module = |it: &Module| self.files.contains_key(it);
                    if module.is_some_and(|it| is_module(&it) && it != file.scopes[0].module) {
                        found.push(format!("{}: {}", file.path, path.join("::")));
                    }
                }
            }
        }
        found
    }

    /// Whether a file is there for unit tests only.
    fn is_test(&self, module: &[String]) -> bool {
        let Some((name, parent)) = module.split_last() else { return false };
        self.files.get(parent).is_some_and(|file| file.test_modules.contains(name))
            || self.is_test(parent)
    }

    /// The file that defines what a path names; none for what other crates define, and for
    /// modules as such.
    fn target(&self, scope: &Scope, path: &[String], depth: usize) -> Option<Module> {
        let path = self.absolute(scope, path, depth)?;
        let mut module = Module::new();
        for (index, name) in path.iter().enumerate() {
            let scope = &self.files.get(&module)?.scopes[0];
            let child = [&module[..], std::slice::from_ref(name)].concat();
            let (is_last, renamed) = (index + 1 == path.len(), scope.names.get(name));
            if self.files.contains_key(&child) && !(is_last && renamed.is_some()) {
                module = child;
            } else if let Some(renamed) = renamed {
                let whole = [renamed, &path[index + 1..]].concat();
                // What it hands on of another crate is its own.
                return self.target(scope, &whole, depth + 1).or(Some(module));
            } else {
                return Some(module);
            }
        }
        None
    }

    /// A path from the crate's root on; none for what no file of this crate is called.
    fn absolute(&self, scope: &Scope, path: &[String], depth: usize) -> Option<Vec<String>> {
        assert!(depth < 20, "{path:?} goes round in {:?}", scope.module);
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" | "baton_northflank" => Some(rest.to_vec()),
            "self" => Some([&scope.module, rest].concat()),
            "super" => {
                let ups = path.iter().take_while(|name| *name == "super").count();
                let above = &scope.module[..scope.module.len().checked_sub(ups)?];
                Some([above, &path[ups..]].concat())
            }
            name => {
                let child = [&scope.module[..], &[name.to_owned()]].concat();
                if self.files.contains_key(&child) {
                    return Some([child, rest.to_vec()].concat());
                }
                let renamed = scope.names.get(name).filter(|renamed| renamed[0] != name)?;
                let renamed = self.absolute(scope, renamed, depth + 1)?;
                Some([renamed, rest.to_vec()].concat())
            }
        }
    }
}

fn read_directory(root: &Path, directory: &Path, texts: &mut Vec<(String, String)>) {
    for path in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            read_directory(root, &path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            texts.push((name, std::fs::read_to_string(path).unwrap()));
        }
    }
}

/// Where the file at `path` is among the modules.
fn module_of(path: &str) -> Module {
    let names = path.strip_suffix(".rs").unwrap().split('/').map(str::to_owned);
    let mut module: Module = names.collect();
    if matches!(module.last().unwrap().as_str(), "mod" | "lib") {
        module.pop();
    }
    module
}

impl File {
    fn walk(&mut self, tokens: TokenStream, scope: usize, in_tests: bool) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut index = 0;
        // Whether the item that begins is for tests only.
        let mut for_tests = false;
        while let Some(token) = tokens.get(index) {
            let in_tests = in_tests || for_tests;
            match token {
                TokenTree::Ident(word) if word == "mod" => {
                    let name = tokens[index + 1].to_string();
                    if let Some(TokenTree::Group(body)) = tokens.get(index + 2) {
                        let module = [&self.scopes[scope].module[..], &[name]].concat();
                        self.scopes.push(Scope { module, ..Scope::default() });
                        self.walk(body.stream(), self.scopes.len() - 1, in_tests);
                    } else if in_tests {
                        self.test_modules.insert(name);
                    }
                    for_tests = false;
                    index += 3;
                }
                // Not what a type captures: `use<'a>`.
                TokenTree::Ident(word) if word == "use" && !is_punct(&tokens, index + 1, '<') => {
                    let end = (index..tokens.len()).find(|at| is_punct(&tokens, *at, ';'));
                    let end = end.unwrap();
                    self.take(&tokens[index + 1..end], &[], scope, in_tests);
                    index = end;
                }
                TokenTree::Ident(_) => {
                    let (path, end) = path(&tokens, index);
                    let is_method = is_punct(&tokens, index.wrapping_sub(1), '.')
                        && !is_punct(&tokens, index.wrapping_sub(2), '.');
                    let goes_on = is_separator(&tokens, index.wrapping_sub(2));
                    if !in_tests {
                        self.scopes[scope].words.push(path.join("::"));
                    }
                    if path.len() > 1 && !is_method && !goes_on {
                        self.scopes[scope].mentions.push(Mention { path, in_tests });
                    }
                    index = end;
                }
                TokenTree::Group(group) => {
                    let is_attribute = is_punct(&tokens, index.wrapping_sub(1), '#');
                    if is_attribute && group.stream().to_string().replace(' ', "") == "cfg(test)" {
                        for_tests = true;
                    }
                    self.walk(group.stream(), scope, in_tests);
                    if group.delimiter() == Delimiter::Brace {
                        for_tests = false;
                    }
                    index += 1;
                }
                TokenTree::Punct(punct) => {
                    if punct.as_char() == ';' {
                        for_tests = false;
                    }
                    index += 1;
                }
                TokenTree::Literal(_) => index += 1,
            }
        }
    }

    /// Takes what a `use` line, or a part of one, brings in.
    fn take(&mut self, tokens: &[TokenTree], before: &[String], scope: usize, in_tests: bool) {
        let (mut path, end) = path(tokens, 0);
        let mut path_so_far = before.to_vec();
        path_so_far.append(&mut path);
        match tokens.get(end..) {
            Some([.., TokenTree::Group(parts)]) => {
                let parts: Vec<_> = parts.stream().into_iter().collect();
                let is_comma =
                    |it: &TokenTree| matches!(it, TokenTree::Punct(it) if it.as_char() == ',');
                for part in parts.split(is_comma).filter(|part| !part.is_empty()) {
                    self.take(part, &path_so_far, scope, in_tests);
                }
                return;
            }
            Some([.., TokenTree::Punct(star)]) if star.as_char() == '*' => {
                path_so_far.push("*".to_owned());
            }
            rest => {
                if path_so_far.len() > 1 && path_so_far.last().unwrap() == "self" {
                    path_so_far.pop();
                }
                let name = match rest {
                    Some([TokenTree::Ident(word), TokenTree::Ident(name)]) if word == "as" => {
                        name.to_string()
                    }
                    _ => path_so_far.last().unwrap().clone(),
                };
                self.scopes[scope].names.insert(name, path_so_far.clone());
            }
        }
        if !in_tests {
            self.scopes[scope].words.push(path_so_far.join("::"));
        }
        self.scopes[scope].mentions.push(Mention { path: path_so_far, in_tests });
    }
}

/// The path that begins at `index`, and where it ends.
fn path(tokens: &[TokenTree], mut index: usize) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    while let Some(TokenTree::Ident(name)) = tokens.get(index) {
        path.push(name.to_string());
        index += 1;
        if is_separator(tokens, index) && matches!(tokens.get(index + 2), Some(TokenTree::Ident(_)))
        {
            index += 2;
        } else {
            break;
        }
    }
    (path, index)
}

fn is_separator(tokens: &[TokenTree], index: usize) -> bool {
    is_punct(tokens, index, ':') && is_punct(tokens, index.wrapping_add(1), ':')
}

fn is_punct(tokens: &[TokenTree], index: usize, char: char) -> bool {
    matches!(tokens.get(index), Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}
