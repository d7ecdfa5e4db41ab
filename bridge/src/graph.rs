// SPDX-License-Identifier: Apache-2.0
//! Who refers to whom among the rules, and whether anything can reach itself. The engine would follow
//! `f(x) := f(x + 1)` until the process has no stack left, so recursion is refused before anything runs.
//! The walk keeps its own stack and bounds the depth of expressions, because later passes recurse over them.

use regorus::unstable::{AssignOp, Expr, Literal, Module, Query, Ref, Rule, RuleHead, Span, BUILTINS};
use serde_json::{json, Value};
use std::collections::{BTreeMap, HashMap, HashSet};

const DEPTH_MAX: u32 = 200;

/// A component of a path: a name, or anything (`data.roles[x]`).
type Path = Vec<Option<String>>;

pub struct RuleInfo {
    pub path: Vec<String>,
    pub package_length: usize,
    pub function: bool,
    pub file: String,
    pub line: u32,
    pub column: u32,
    /// Of a test (statements.rs); null of any other rule.
    pub statements: Value,
}

impl RuleInfo {
    pub fn name(&self) -> String {
        path_text(&self.path)
    }
    pub fn is_test(&self) -> bool {
        !self.function && self.path.last().is_some_and(|name| name.starts_with("test_"))
    }
}

pub fn path_text(path: &[String]) -> String {
    let mut text = String::new();
    for (index, part) in path.iter().enumerate() {
        let plain = part.chars().enumerate().all(|(at, c)| {
            c == '_' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit())
        }) && !part.is_empty();
        if index == 0 {
            text.push_str(part);
        } else if plain {
            text.push('.');
            text.push_str(part);
        } else {
            text.push('[');
            text.push_str(&Value::from(part.as_str()).to_string());
            text.push(']');
        }
    }
    text
}

enum Target {
    /// A document: every rule at, above or below the path, without functions.
    Document(Path),
    /// A call, or a function named as a replacement; the place is a call's.
    Function(Path, String, Option<Span>),
}

struct Scope {
    parent: Option<usize>,
    names: HashSet<String>,
}

enum Work<'a> {
    Expr(&'a Ref<Expr>, usize, u32),
    Query(&'a Query, usize, u32),
}

struct Walk<'a> {
    package: Vec<String>,
    imports: HashMap<String, Vec<String>>,
    scopes: Vec<Scope>,
    work: Vec<Work<'a>>,
    targets: Vec<Target>,
    /// `with a as b`: whoever uses a may then use b.
    replaced: Vec<(Target, Vec<Target>)>,
    too_deep: Option<Span>,
}

fn name_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::String { value, .. } | Expr::RawString { value, .. } | Expr::Var { value, .. } => {
            value.as_string().ok().map(|text| text.to_string())
        }
        _ => None,
    }
}

/// Base expression and the links of a reference, outermost last; names only where they are literal.
fn chain(expr: &Ref<Expr>) -> (&Ref<Expr>, Path, Vec<&Ref<Expr>>) {
    let mut links: Path = Vec::new();
    let mut indexes = Vec::new();
    let mut at = expr;
    loop {
        match at.as_ref() {
            Expr::RefDot { refr, field, .. } => {
                links.push(field.1.as_string().ok().map(|text| text.to_string()));
                at = refr;
            }
            Expr::RefBrack { refr, index, .. } => {
                links.push(match index.as_ref() {
                    Expr::String { .. } | Expr::RawString { .. } => name_of(index),
                    _ => None,
                });
                indexes.push(index);
                at = refr;
            }
            _ => break,
        }
    }
    links.reverse();
    (at, links, indexes)
}

/// The literal path of a package or rule head: `a.b["c"]`, up to the first thing that is not literal.
fn head_path(expr: &Ref<Expr>) -> Vec<String> {
    let (base, links, _) = chain(expr);
    let mut path: Vec<String> = name_of(base).into_iter().collect();
    path.extend(links.into_iter().map_while(|link| link));
    path
}

fn pattern_names(expr: &Ref<Expr>, into: &mut HashSet<String>) {
    let mut open = vec![expr];
    while let Some(at) = open.pop() {
        match at.as_ref() {
            Expr::Var { .. } => into.extend(name_of(at)),
            Expr::Array { items, .. } => open.extend(items.iter()),
            Expr::Object { fields, .. } => open.extend(fields.iter().map(|field| &field.2)),
            _ => {}
        }
    }
}

fn declared(query: &Query) -> HashSet<String> {
    let mut names = HashSet::new();
    for statement in &query.stmts {
        match &statement.literal {
            Literal::SomeVars { vars, .. } => names.extend(vars.iter().map(|var| var.text().to_string())),
            Literal::SomeIn { key, value, .. } => {
                key.iter().chain([value]).for_each(|pattern| pattern_names(pattern, &mut names));
            }
            Literal::Expr { expr, .. } => {
                if let Expr::AssignExpr { op: AssignOp::ColEq, lhs, .. } = expr.as_ref() {
                    pattern_names(lhs, &mut names);
                }
            }
            _ => {}
        }
    }
    names
}

impl<'a> Walk<'a> {
    fn scope(&mut self, parent: Option<usize>, names: HashSet<String>) -> usize {
        self.scopes.push(Scope { parent, names });
        self.scopes.len() - 1
    }

    fn is_local(&self, name: &str, scope: usize) -> bool {
        let mut at = Some(scope);
        while let Some(index) = at {
            if self.scopes[index].names.contains(name) {
                return true;
            }
            at = self.scopes[index].parent;
        }
        false
    }

    fn resolve(&self, name: &str, links: &[Option<String>]) -> Option<Path> {
        let mut path: Path = match name {
            "input" => return None,
            "data" => vec![Some("data".to_string())],
            _ => match self.imports.get(name) {
                Some(import) if import[0] != "data" => return None,
                Some(import) => import.iter().cloned().map(Some).collect(),
                None => self.package.iter().cloned().chain([name.to_string()]).map(Some).collect(),
            },
        };
        path.extend(links.iter().cloned());
        Some(path)
    }

    fn call_target(&self, expr: &Ref<Expr>, place: Option<Span>) -> Option<Target> {
        let (base, links, _) = chain(expr);
        let name = name_of(base)?;
        let mut plain = name.clone();
        for link in links.iter().flatten() {
            plain.push('.');
            plain.push_str(link);
        }
        Some(Target::Function(self.resolve(&name, &links).unwrap_or_default(), plain, place))
    }

    fn expr(&mut self, expr: &'a Ref<Expr>, scope: usize, depth: u32) {
        if depth > DEPTH_MAX {
            self.too_deep.get_or_insert_with(|| expr.span().clone());
            return;
        }
        let next = depth + 1;
        match expr.as_ref() {
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                self.work.extend(items.iter().map(|item| Work::Expr(item, scope, next)));
            }
            Expr::Object { fields, .. } => {
                for (_, key, value) in fields {
                    self.work.push(Work::Expr(key, scope, next));
                    self.work.push(Work::Expr(value, scope, next));
                }
            }
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                let inner = self.scope(Some(scope), declared(query));
                self.work.push(Work::Expr(term, inner, next));
                self.work.push(Work::Query(query, inner, next));
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                let inner = self.scope(Some(scope), declared(query));
                self.work.push(Work::Expr(key, inner, next));
                self.work.push(Work::Expr(value, inner, next));
                self.work.push(Work::Query(query, inner, next));
            }
            Expr::Call { fcn, params, .. } => {
                self.targets.extend(self.call_target(fcn, Some(fcn.span().clone())));
                self.work.extend(params.iter().map(|param| Work::Expr(param, scope, next)));
            }
            Expr::UnaryExpr { expr, .. } => self.work.push(Work::Expr(expr, scope, next)),
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => self.reference(expr, scope, depth),
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::AssignExpr { lhs, rhs, .. } => {
                self.work.push(Work::Expr(lhs, scope, next));
                self.work.push(Work::Expr(rhs, scope, next));
            }
            Expr::Membership { key, value, collection, .. } => {
                let parts = key.iter().chain([value, collection]);
                self.work.extend(parts.map(|part| Work::Expr(part, scope, next)));
            }
            _ => {}
        }
    }

    fn reference(&mut self, expr: &'a Ref<Expr>, scope: usize, depth: u32) {
        let (base, links, indexes) = chain(expr);
        let next = depth + 1 + u32::try_from(links.len()).unwrap_or(u32::MAX / 2);
        if next > DEPTH_MAX + 1 {
            self.too_deep.get_or_insert_with(|| expr.span().clone());
            return;
        }
        self.work.extend(indexes.into_iter().map(|index| Work::Expr(index, scope, next)));
        match base.as_ref() {
            Expr::Var { .. } => {
                let name = name_of(base).unwrap_or_default();
                if !self.is_local(&name, scope) {
                    self.targets.extend(self.resolve(&name, &links).map(Target::Document));
                }
            }
            _ => self.work.push(Work::Expr(base, scope, next)),
        }
    }

    fn query(&mut self, query: &'a Query, scope: usize, depth: u32) {
        for statement in &query.stmts {
            match &statement.literal {
                Literal::SomeVars { .. } => {}
                Literal::SomeIn { key, value, collection, .. } => {
                    let parts = key.iter().chain([value, collection]);
                    self.work.extend(parts.map(|part| Work::Expr(part, scope, depth + 1)));
                }
                Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => {
                    self.work.push(Work::Expr(expr, scope, depth + 1));
                }
                Literal::Every { key, value, domain, query, .. } => {
                    self.work.push(Work::Expr(domain, scope, depth + 1));
                    let mut names = declared(query);
                    names.extend(key.iter().chain([value]).map(|span| span.text().to_string()));
                    let inner = self.scope(Some(scope), names);
                    self.work.push(Work::Query(query, inner, depth + 1));
                }
            }
            for with in &statement.with_mods {
                self.work.push(Work::Expr(&with.r#as, scope, depth + 1));
                self.replacement(&with.refr, &with.r#as, scope);
            }
        }
    }

    fn replacement(&mut self, what: &Ref<Expr>, by: &Ref<Expr>, scope: usize) {
        let (base, links, _) = chain(by);
        let Some(name) = name_of(base) else { return };
        if !matches!(base.as_ref(), Expr::Var { .. }) || self.is_local(&name, scope) {
            return;
        }
        let mut users: Vec<Target> = self.call_target(by, None).into_iter().collect();
        users.extend(self.resolve(&name, &links).map(Target::Document));
        if let Some(target) = self.call_target(what, None) {
            self.replaced.push((target, users));
        }
    }

    fn run(&mut self) {
        while let Some(work) = self.work.pop() {
            match work {
                Work::Expr(expr, scope, depth) => self.expr(expr, scope, depth),
                Work::Query(query, scope, depth) => self.query(query, scope, depth),
            }
        }
    }

    fn rule(&mut self, rule: &'a Ref<Rule>) {
        match rule.as_ref() {
            Rule::Default { args, value, .. } => {
                let mut names = HashSet::new();
                args.iter().for_each(|arg| pattern_names(arg, &mut names));
                let scope = self.scope(None, names);
                self.work.push(Work::Expr(value, scope, 0));
            }
            Rule::Spec { head, bodies, .. } => {
                let mut names = HashSet::new();
                let (refr, rest): (&Ref<Expr>, Vec<&Ref<Expr>>) = match head {
                    RuleHead::Compr { refr, assign, .. } => (refr, assign.iter().map(|a| &a.value).collect()),
                    RuleHead::Set { refr, key, .. } => (refr, key.iter().collect()),
                    RuleHead::Func { refr, args, assign, .. } => {
                        args.iter().for_each(|arg| pattern_names(arg, &mut names));
                        (refr, assign.iter().map(|a| &a.value).collect())
                    }
                };
                // The head sees what every body declares.
                for body in bodies {
                    let mut seen = names.clone();
                    seen.extend(declared(&body.query));
                    let scope = self.scope(None, seen);
                    self.work.push(Work::Query(&body.query, scope, 0));
                    self.work.extend(body.assign.iter().map(|a| Work::Expr(&a.value, scope, 0)));
                    self.head(refr, &rest, scope);
                }
                if bodies.is_empty() {
                    let scope = self.scope(None, names);
                    self.head(refr, &rest, scope);
                }
            }
        }
        self.run();
    }

    fn head(&mut self, refr: &'a Ref<Expr>, rest: &[&'a Ref<Expr>], scope: usize) {
        let (_, _, indexes) = chain(refr);
        let parts = indexes.into_iter().chain(rest.iter().copied());
        self.work.extend(parts.map(|part| Work::Expr(part, scope, 0)));
    }
}

fn head_of(rule: &Rule) -> (&Ref<Expr>, bool) {
    match rule {
        Rule::Default { refr, args, .. } => (refr, !args.is_empty()),
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } => (refr, false),
            RuleHead::Func { refr, .. } => (refr, true),
        },
    }
}

fn imports_of(module: &Module) -> HashMap<String, Vec<String>> {
    let mut imports = HashMap::new();
    for import in &module.imports {
        let path = head_path(&import.refr);
        let alias = import.r#as.as_ref().map(|span| span.text().to_string()).or_else(|| path.last().cloned());
        if let Some(alias) = alias {
            if path.first().is_some_and(|root| root == "data" || root == "input") {
                imports.insert(alias, path);
            }
        }
    }
    imports
}

fn package_of(module: &Module) -> Vec<String> {
    let mut package = vec!["data".to_string()];
    package.extend(head_path(&module.package.refr));
    package
}

pub struct Graph {
    pub rules: Vec<RuleInfo>,
    /// What makes the modules unfit to run, with places.
    pub refusals: Vec<Value>,
}

fn refusal(message: String, file: &str, line: u32, column: u32) -> Value {
    json!({"message": message, "file": file, "line": line, "column": column})
}

pub fn build(modules: &[Ref<Module>]) -> Graph {
    let mut rules = Vec::new();
    let mut targets = Vec::new();
    let mut replaced = Vec::new();
    let mut refusals = Vec::new();
    for module in modules {
        let package = package_of(module);
        let mut walk = Walk {
            package: package.clone(),
            imports: imports_of(module),
            scopes: Vec::new(),
            work: Vec::new(),
            targets: Vec::new(),
            replaced: Vec::new(),
            too_deep: None,
        };
        for rule in &module.policy {
            let (refr, function) = head_of(rule);
            let span = rule.span();
            let mut path = package.clone();
            path.extend(head_path(refr));
            let is_test = path.last().is_some_and(|name| name.starts_with("test_"));
            rules.push(RuleInfo {
                path,
                package_length: package.len(),
                function,
                file: span.source.file().clone(),
                line: span.line,
                column: span.col,
                statements: if is_test { crate::statements::of(rule) } else { Value::Null },
            });
            walk.scopes.clear();
            walk.rule(rule);
            targets.push(std::mem::take(&mut walk.targets));
        }
        if let Some(span) = walk.too_deep {
            let message = format!("an expression is nested more than {DEPTH_MAX} levels deep");
            refusals.push(refusal(message, span.source.file(), span.line, span.col));
        }
        replaced.append(&mut walk.replaced);
    }
    if refusals.is_empty() {
        refusals = cycles(&rules, &targets, &replaced);
    }
    Graph { rules, refusals }
}

struct Nodes<'a> {
    rules: &'a [RuleInfo],
    /// Node per distinct rule path and kind; definitions of one rule share it.
    by_path: BTreeMap<(bool, &'a [String]), usize>,
    /// Built-ins get nodes too: `with time.now_ns as clock` makes whoever calls the one call the other.
    builtins: BTreeMap<String, usize>,
    count: usize,
}

fn matches(path: &Path, rule: &[String]) -> bool {
    path.iter().zip(rule).all(|(want, have)| want.as_ref().is_none_or(|want| want == have))
}

impl Nodes<'_> {
    fn functions_at(&self, path: &Path) -> Vec<usize> {
        self.by_path
            .iter()
            .filter(|((function, rule), _)| *function && rule.len() == path.len() && matches(path, rule))
            .map(|(_, node)| *node)
            .collect()
    }

    fn of(&mut self, target: &Target) -> Vec<usize> {
        match target {
            Target::Document(path) => self
                .by_path
                .iter()
                .filter(|((function, rule), _)| !function && matches(path, rule))
                .map(|(_, node)| *node)
                .collect(),
            Target::Function(path, name, _) => {
                let found = self.functions_at(path);
                if !found.is_empty() {
                    return found;
                }
                let next = self.count;
                let node = *self.builtins.entry(name.clone()).or_insert(next);
                self.count = self.count.max(node + 1);
                vec![node]
            }
        }
    }
}

fn unknown_functions(nodes: &Nodes<'_>, targets: &[Vec<Target>]) -> Vec<Value> {
    let mut found = Vec::new();
    for target in targets.iter().flatten() {
        if let Target::Function(path, name, Some(span)) = target {
            let builtin = name == "print" || BUILTINS.contains_key(name.as_str());
            if !builtin && nodes.functions_at(path).is_empty() {
                let message = format!("unknown function {name}");
                found.push(refusal(message, span.source.file(), span.line, span.col));
            }
        }
    }
    found
}

fn cycles(rules: &[RuleInfo], targets: &[Vec<Target>], replaced: &[(Target, Vec<Target>)]) -> Vec<Value> {
    let mut nodes = Nodes { rules, by_path: BTreeMap::new(), builtins: BTreeMap::new(), count: 0 };
    let mut node_of_rule = Vec::with_capacity(rules.len());
    for rule in rules {
        let next = nodes.count;
        let node = *nodes.by_path.entry((rule.function, rule.path.as_slice())).or_insert(next);
        nodes.count = nodes.count.max(node + 1);
        node_of_rule.push(node);
    }
    let unknown = unknown_functions(&nodes, targets);
    if !unknown.is_empty() {
        return unknown;
    }
    let mut edges: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (rule, uses) in targets.iter().enumerate() {
        for target in uses {
            let found = nodes.of(target);
            edges.entry(node_of_rule[rule]).or_default().extend(found);
        }
    }
    for (what, by) in replaced {
        let users = nodes.of(what);
        let used: Vec<usize> = by.iter().flat_map(|target| nodes.of(target)).collect();
        for user in users {
            edges.entry(user).or_default().extend(used.iter().copied());
        }
    }
    find_cycles(&nodes, &node_of_rule, &edges)
}

fn find_cycles(nodes: &Nodes<'_>, node_of_rule: &[usize], edges: &BTreeMap<usize, Vec<usize>>) -> Vec<Value> {
    let none = Vec::new();
    let mut done = vec![false; nodes.count];
    let mut found = Vec::new();
    for start in 0..nodes.count {
        let mut place = vec![usize::MAX; nodes.count];
        let mut path: Vec<(usize, usize)> = Vec::new();
        if !done[start] {
            place[start] = 0;
            path.push((start, 0));
        }
        while let Some((node, next)) = path.last_mut() {
            let follow = edges.get(node).unwrap_or(&none);
            let Some(&to) = follow.get(*next) else {
                done[*node] = true;
                place[*node] = usize::MAX;
                path.pop();
                continue;
            };
            *next += 1;
            if place[to] != usize::MAX {
                let ring: Vec<usize> = path[place[to]..].iter().map(|(node, _)| *node).collect();
                found.push(describe(nodes, node_of_rule, &ring));
                if found.len() >= 10 {
                    return found;
                }
            } else if !done[to] {
                place[to] = path.len();
                path.push((to, 0));
            }
        }
    }
    found
}

fn describe(nodes: &Nodes<'_>, node_of_rule: &[usize], ring: &[usize]) -> Value {
    let rule_of = |node: usize| node_of_rule.iter().position(|n| *n == node).map(|at| &nodes.rules[at]);
    let name_of = |node: usize| {
        rule_of(node).map(RuleInfo::name).unwrap_or_else(|| {
            nodes.builtins.iter().find(|(_, n)| **n == node).map(|(name, _)| name.clone()).unwrap_or_default()
        })
    };
    let first = ring.iter().copied().find(|node| rule_of(*node).is_some()).unwrap_or(ring[0]);
    let at = ring.iter().position(|node| *node == first).unwrap_or(0);
    let names: Vec<String> =
        ring[at..].iter().chain(&ring[..at]).chain([&first]).map(|node| name_of(*node)).collect();
    let message = format!("rule {} is recursive: {}", names[0], names.join(" -> "));
    match rule_of(first) {
        Some(rule) => refusal(message, &rule.file, rule.line, rule.column),
        None => refusal(message, "", 0, 0),
    }
}
