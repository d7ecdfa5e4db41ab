// SPDX-License-Identifier: Apache-2.0
//! Rego: modules are parsed, checked for recursion and compiled once; evaluation shares the result among threads.
//! Rules run on the engine's virtual machine, which counts instructions. What it cannot express runs on the
//! interpreter, which watches the clock.

use crate::bounds;
use crate::graph::{self, Graph};
use crate::{refuse, Answer, Failure};
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::program::Program;
use regorus::rvm::vm::RegoVM;
use regorus::rvm::Instruction;
use regorus::utils::limits::{set_fallback_execution_timer_config, ExecutionTimerConfig};
use regorus::{CompiledPolicy, Engine, Value};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::{Arc, Once};
use std::time::Duration;

const MODULE_BYTES_MAX: usize = 1 << 20;
const MODULES_MAX: usize = 1000;
const INSTRUCTIONS_DEFAULT: usize = 200_000;
const INTERPRETER_TIME_MAX: Duration = Duration::from_secs(2);
const MACHINE_TIME_MAX: Duration = Duration::from_secs(1);
/// The engine's parser and compiler recurse over expressions; a thread of their own gives them room.
const COMPILE_STACK_BYTES: usize = 256 << 20;

pub struct Request<'a> {
    pub modules: Vec<(&'a str, &'a str)>,
    pub data: &'a str,
    pub entry_points: Vec<&'a str>,
    pub instructions_max: u64,
}

enum Exec {
    Machine(Arc<Program>),
    Interpreter(Box<CompiledPolicy>),
}

struct Part {
    rule: String,
    /// Where the value goes inside a package's object; empty for a rule asked for by itself.
    inside: Vec<String>,
    exec: Exec,
}

struct Entry {
    package: bool,
    parts: Vec<Part>,
}

pub struct Rego {
    entries: BTreeMap<String, Entry>,
    data: Value,
    instructions_max: usize,
}

fn bound_time() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        set_fallback_execution_timer_config(Some(ExecutionTimerConfig {
            limit: INTERPRETER_TIME_MAX,
            check_interval: NonZeroU32::MIN,
        }));
    });
}

/// A product may be twice as long as its factors: where there is one, the clock is read at each instruction, so that
/// a chain of squares ends about where its time does.
fn clock_of(program: &Program) -> ExecutionTimerConfig {
    let multiplies = program.instructions.iter().any(|instruction| matches!(instruction, Instruction::Mul { .. }));
    let every = NonZeroU32::new(if multiplies { 1 } else { 1000 });
    ExecutionTimerConfig { limit: MACHINE_TIME_MAX, check_interval: every.unwrap_or(NonZeroU32::MIN) }
}

/// The program with its built-ins behind their bounds.
fn bounded(mut program: Arc<Program>) -> Result<Arc<Program>, serde_json::Value> {
    let inner = Arc::make_mut(&mut program);
    let found: Result<Vec<_>, String> = inner
        .builtin_info_table
        .iter()
        .map(|info| bounds::guard_of(&info.name).ok_or_else(|| format!("built-in {} has no bounds", info.name)))
        .collect();
    inner.resolved_builtins = found.map_err(|message| located(&message))?;
    Ok(program)
}

/// "\n--> file:3:7\n...\nerror: text" as the engine writes it, taken apart.
fn located(text: &str) -> serde_json::Value {
    let message = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("error: "))
        .map(|found| text[text.find(found).unwrap_or(0)..].trim())
        .unwrap_or(text.trim());
    let place = text.lines().find_map(|line| line.trim_start().strip_prefix("--> "));
    let mut parts = place.unwrap_or("").rsplitn(3, ':');
    let column: u32 = parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    let line: u32 = parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    let file = parts.next().unwrap_or("");
    json!({"message": message, "file": file, "line": line, "column": column})
}

pub fn compile(request: &Request<'_>) -> Result<(Rego, Vec<u8>), Failure> {
    bound_time();
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new()
            .stack_size(COMPILE_STACK_BYTES)
            .spawn_scoped(scope, || catch_unwind(AssertUnwindSafe(|| compile_here(request))))
            .map_err(|error| refuse(format!("no thread to compile the policy on: {error}")))?;
        match worker.join() {
            Ok(Ok(made)) => made,
            Ok(Err(panic)) | Err(panic) => resume_unwind(panic),
        }
    })
}

/// What a rule prints: by the interpreter, which alone keeps it. What it evaluates to is not looked at.
pub fn prints(request: &Request<'_>, path: &str) -> Answer {
    bound_time();
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new()
            .stack_size(COMPILE_STACK_BYTES)
            .spawn_scoped(scope, || catch_unwind(AssertUnwindSafe(|| prints_here(request, path))))
            .map_err(|error| refuse(format!("no thread to evaluate the policy on: {error}")))?;
        match worker.join() {
            Ok(Ok(made)) => made,
            Ok(Err(panic)) | Err(panic) => resume_unwind(panic),
        }
    })
}

fn prints_here(request: &Request<'_>, path: &str) -> Answer {
    let mut engine = load(request)?;
    let data_text = if request.data.is_empty() { "{}" } else { request.data };
    let data = Value::from_json_str(data_text).map_err(|error| refuse(error.to_string()))?;
    engine.add_data(data).map_err(|error| refuse(error.to_string()))?;
    if !graph::build(engine.get_modules()).refusals.is_empty() {
        return Err(refuse("a policy that does not compile prints nothing"));
    }
    engine.set_gather_prints(true);
    bounds::begin();
    let value = engine.eval_rule(path.to_string());
    drop(value);
    let lines = engine.take_prints().map_err(|error| refuse(error.to_string()))?;
    Ok(json!(lines).to_string().into_bytes())
}

fn compile_here(request: &Request<'_>) -> Result<(Rego, Vec<u8>), Failure> {
    let mut engine = load(request)?;
    let data_text = if request.data.is_empty() { "{}" } else { request.data };
    let data = Value::from_json_str(data_text)
        .map_err(|error| refuse(format!("the data document is not JSON: {error}")))?;
    if data.as_object().is_err() {
        return Err(refuse("the data document is not a JSON object"));
    }
    engine.add_data(data.clone()).map_err(|error| refuse(error.to_string()))?;
    let graph = graph::build(engine.get_modules());
    if !graph.refusals.is_empty() {
        return Err(Failure::Refused(graph.refusals));
    }
    let entries = entries_of(&mut engine, &graph, request)?;
    let instructions_max = match usize::try_from(request.instructions_max) {
        Ok(0) => INSTRUCTIONS_DEFAULT,
        Ok(wanted) => wanted,
        Err(_) => usize::MAX,
    };
    let rego = Rego { entries, data, instructions_max };
    rego.check_data()?;
    let report = rego.report(&graph);
    Ok((rego, report))
}

fn load(request: &Request<'_>) -> Result<Engine, Failure> {
    if request.modules.len() > MODULES_MAX {
        return Err(refuse(format!("{} modules, at most {MODULES_MAX} are taken", request.modules.len())));
    }
    let mut engine = Engine::new();
    bounds::guard_interpreter(&mut engine).map_err(|error| refuse(error.to_string()))?;
    let mut refusals = Vec::new();
    for (path, text) in &request.modules {
        if text.len() > MODULE_BYTES_MAX {
            let message = format!("module has {} bytes, at most {MODULE_BYTES_MAX} are taken", text.len());
            refusals.push(json!({"message": message, "file": path, "line": 0, "column": 0}));
        } else if let Err(error) = engine.add_policy((*path).to_string(), (*text).to_string()) {
            refusals.push(located(&error.to_string()));
        }
    }
    if refusals.is_empty() {
        Ok(engine)
    } else {
        Err(Failure::Refused(refusals))
    }
}

/// Entry point -> (is a package, rules with their place inside).
type Wanted = BTreeMap<String, (bool, BTreeMap<String, Vec<String>>)>;

fn wanted(graph: &Graph, request: &Request<'_>) -> Result<Wanted, Failure> {
    let mut all: Wanted = BTreeMap::new();
    for rule in graph.rules.iter().filter(|rule| !rule.function) {
        let name = rule.name();
        all.entry(name.clone()).or_insert((false, BTreeMap::from([(name.clone(), Vec::new())])));
        if !rule.is_test() {
            let package = graph::path_text(&rule.path[..rule.package_length]);
            let inside = rule.path[rule.package_length..].to_vec();
            all.entry(package).or_insert((true, BTreeMap::new())).1.insert(name, inside);
        }
    }
    if request.entry_points.is_empty() {
        return Ok(all);
    }
    let tests: BTreeSet<String> = graph.rules.iter().filter(|rule| rule.is_test()).map(|rule| rule.name()).collect();
    let missing: Vec<serde_json::Value> = request
        .entry_points
        .iter()
        .filter(|name| !all.contains_key(**name))
        .map(|name| json!({"message": format!("no rule or package {name}"), "file": "", "line": 0, "column": 0}))
        .collect();
    if !missing.is_empty() {
        return Err(Failure::Refused(missing));
    }
    all.retain(|name, _| tests.contains(name) || request.entry_points.contains(&name.as_str()));
    Ok(all)
}

fn entries_of(engine: &mut Engine, graph: &Graph, request: &Request<'_>) -> Result<BTreeMap<String, Entry>, Failure> {
    let mut entries = BTreeMap::new();
    let mut refusals: Vec<serde_json::Value> = Vec::new();
    for (name, (package, rules)) in wanted(graph, request)? {
        match parts_of(engine, rules) {
            Ok(parts) => {
                entries.insert(name, Entry { package, parts });
            }
            Err(refusal) if refusals.contains(&refusal) => {}
            Err(refusal) => refusals.push(refusal),
        }
    }
    if refusals.is_empty() {
        Ok(entries)
    } else {
        Err(Failure::Refused(refusals))
    }
}

fn parts_of(engine: &mut Engine, rules: BTreeMap<String, Vec<String>>) -> Result<Vec<Part>, serde_json::Value> {
    let mut policies = Vec::with_capacity(rules.len());
    for name in rules.keys() {
        let policy = engine.compile_with_entrypoint(&Arc::from(name.as_str()));
        policies.push(policy.map_err(|error| located(&error.to_string()))?);
    }
    // One program for all rules where the machine takes them all; else each for itself.
    let names: Vec<&str> = rules.keys().map(String::as_str).collect();
    let together = policies.first().and_then(|policy| Compiler::compile_from_policy(policy, &names).ok());
    let together = together.map(bounded).transpose()?;
    let mut parts = Vec::with_capacity(rules.len());
    for (policy, (rule, inside)) in policies.into_iter().zip(rules) {
        let exec = match &together {
            Some(program) => Exec::Machine(program.clone()),
            None => match Compiler::compile_from_policy(&policy, &[rule.as_str()]) {
                Ok(program) => Exec::Machine(bounded(program)?),
                Err(_) => Exec::Interpreter(Box::new(policy)),
            },
        };
        parts.push(Part { rule, inside, exec });
    }
    Ok(parts)
}

impl Rego {
    fn machine(&self, program: &Arc<Program>) -> Result<RegoVM, Failure> {
        let mut vm = RegoVM::new();
        vm.load_program(program.clone());
        vm.set_max_instructions(self.instructions_max);
        vm.set_execution_timer_config(Some(clock_of(program)));
        vm.set_data(self.data.clone()).map_err(|error| refuse(error.to_string()))?;
        Ok(vm)
    }

    /// A rule and a member of the data document must not share a path.
    fn check_data(&self) -> Result<(), Failure> {
        for part in self.entries.values().flat_map(|entry| &entry.parts) {
            if let Exec::Machine(program) = &part.exec {
                self.machine(program)?;
            }
        }
        Ok(())
    }

    fn report(&self, graph: &Graph) -> Vec<u8> {
        let entries: Vec<serde_json::Value> = self
            .entries
            .iter()
            .map(|(path, entry)| {
                let machine = entry.parts.iter().all(|part| matches!(part.exec, Exec::Machine(_)));
                json!({
                    "path": path,
                    "kind": if entry.package { "package" } else { "rule" },
                    "engine": if machine { "vm" } else { "interpreter" },
                })
            })
            .collect();
        let mut seen = BTreeSet::new();
        let tests: Vec<serde_json::Value> = graph
            .rules
            .iter()
            .filter(|rule| rule.is_test() && seen.insert(rule.name()))
            .map(|rule| {
                let once = graph.rules.iter().filter(|other| other.path == rule.path).count() == 1;
                let statements = if once { &rule.statements } else { &serde_json::Value::Null };
                json!({"path": rule.name(), "file": rule.file, "line": rule.line, "column": rule.column,
                       "statements": statements})
            })
            .collect();
        json!({"entry_points": entries, "tests": tests}).to_string().into_bytes()
    }

    pub fn evaluate(&self, path: &str, input: &str) -> Answer {
        let entry = self.entries.get(path).ok_or_else(|| refuse(format!("{path} is not an entry point")))?;
        let input = if input.is_empty() {
            Value::Undefined
        } else {
            Value::from_json_str(input).map_err(|error| refuse(format!("the input is not JSON: {error}")))?
        };
        if !entry.package {
            let value = self.run(&entry.parts, &input)?.remove(0);
            return if value == Value::Undefined { Err(Failure::Undefined) } else { written(&value) };
        }
        let mut object = Value::new_object();
        for (part, value) in entry.parts.iter().zip(self.run(&entry.parts, &input)?) {
            if value != Value::Undefined {
                place(&mut object, &part.inside, value)?;
            }
        }
        written(&object)
    }

    fn run(&self, parts: &[Part], input: &Value) -> Result<Vec<Value>, Failure> {
        bounds::begin();
        let values = self.run_parts(parts, input);
        // A refused built-in is the reason, whatever the engine made of it.
        bounds::refusal().map_or(values, |why| Err(refuse(why)))
    }

    fn run_parts(&self, parts: &[Part], input: &Value) -> Result<Vec<Value>, Failure> {
        let mut loaded: Option<(*const Program, RegoVM)> = None;
        let mut values = Vec::with_capacity(parts.len());
        for part in parts {
            let value = match &part.exec {
                Exec::Interpreter(policy) => {
                    policy.eval_with_input(input.clone()).map_err(|error| Failure::Refused(vec![located(&error.to_string())]))?
                }
                Exec::Machine(program) => {
                    let same = loaded.as_ref().is_some_and(|(ptr, _)| *ptr == Arc::as_ptr(program));
                    if !same {
                        let mut vm = self.machine(program)?;
                        vm.set_input(input.clone());
                        loaded = Some((Arc::as_ptr(program), vm));
                    }
                    let Some((_, vm)) = loaded.as_mut() else { return Err(refuse("no machine")) };
                    vm.execute_entry_point_by_name(&part.rule)
                        .map_err(|error| Failure::Refused(vec![located(&error.to_string())]))?
                }
            };
            values.push(value);
        }
        Ok(values)
    }
}

fn place(object: &mut Value, inside: &[String], value: Value) -> Result<(), Failure> {
    let Some((first, rest)) = inside.split_first() else { return Ok(()) };
    let fields = object.as_object_mut().map_err(|error| refuse(error.to_string()))?;
    let key = Value::from(first.as_str());
    if rest.is_empty() {
        fields.insert(key, value);
        return Ok(());
    }
    let mut inner = fields.get(&key).cloned().unwrap_or_else(Value::new_object);
    place(&mut inner, rest, value)?;
    fields.insert(key, inner);
    Ok(())
}

fn written(value: &Value) -> Answer {
    bounds::measure(value).map_err(|why| refuse(format!("the result cannot be written: {why}")))?;
    serde_json::to_vec(value).map_err(|error| refuse(format!("the result cannot be written as JSON: {error}")))
}
