import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { makeFile, readByCrier, readLines } from "./file/run.ts";
import { type Result, tableOf } from "./harness/table.ts";
import { imageSettings } from "./image.ts";

/**
 * `npm run bench`: kube-crier and the floor (a bare forwarder), scenario by scenario in one go, and the table of both.
 * Further programs by their start command: `npm run bench -- 'name=START COMMAND'`. Needs KUBECONFIG of a cluster one may fill with events;
 * E2E_CLUSTER, the command that controls it, makes the scenarios `apirestart`, `backlog` and `old120k` possible. The results of each scenario stay in `--out`, the table in table.md there.
 */
const HERE = import.meta.dirname;
const ROOT = path.resolve(HERE, "..");
const SCENARIOS =
  "firstwatch,startup,latency,throughput200,latency500,throughputmax,sink500,sink429,sinkhang,slowsink,kill9,kill9max,sigterm,sigtermhang,badchars,updates,order,newapi,apirestart,drain,outage10m,backlog,old120k,file1m";
/** Those that need the command that controls the cluster. */
const CONTROLLED = new Set(["apirestart", "backlog", "old120k"]);
/** Those that need 120,000 events in the cluster. */
const FILLED = new Set(["backlog", "old120k"]);

const kubeconfig = process.env["KUBECONFIG"] ?? "";
const cluster = process.env["E2E_CLUSTER"] ?? "";
const flags = process.argv.slice(2).filter((arg) => arg.startsWith("--"));
const option = (name: string, fallback: string) =>
  flags.find((flag) => flag.startsWith(`--${name}=`))?.slice(name.length + 3) ?? fallback;
const further = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
const scenarios = option("scenarios", SCENARIOS).split(",");
if (kubeconfig === "" && scenarios.some((scenario) => scenario !== "file1m")) {
  process.stderr.write(
    "bench: KUBECONFIG is not set; export one of a cluster that may be filled with events\n",
  );
  process.exit(2);
}

const BUNDLE = path.join(ROOT, "dist/kube-crier.js");
// As the image starts it.
const CRIER = `env ${imageSettings().join(" ")} ${process.execPath} ${BUNDLE} run --source=kubernetes: "--sink=webhook:$RECV_URL?level=Normal" --data-dir=$BENCH_STATE`;
const programs = new Map([
  ["floor", `${process.execPath} ${path.join(HERE, "harness/floor.mjs")}`],
  ["kube-crier", CRIER],
  ...further.map(
    (text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)] as const,
  ),
]);
const only = option("programs", [...programs.keys()].join(",")).split(",");
const results = path.resolve(option("out", path.join(tmpdir(), "kube-crier-bench")));
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

execFileSync("npm", ["run", "-s", "build"], { cwd: ROOT, stdio: "inherit" });
const control = (...args: string[]) =>
  spawnSync("sh", ["-c", `${cluster} "$@"`, "cluster", ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
/** So many events are more than the API server deletes within one request's time. */
function sweep(): void {
  const which = ["-prefix", OLD, "-namespaces", "default,shop", "-cleanup"];
  for (let round = 0; round < 10; round += 1)
    if (control("evgen", "-kubeconfig", kubeconfig, ...which).status === 0) return;
  process.stderr.write("bench: events of the backlog are left in the cluster\n");
}

const old = option("old", "120000");
/** The prefix of these events, as the harness reads it in a message. */
const OLD = "backlog";
function fill(): void {
  const which = ["-prefix", OLD, "-namespaces", "default,shop"];
  control("evgen", "-kubeconfig", kubeconfig, "-n", old, "-rate", "0", ...which);
}

/** `drain` needs a second receiver: programs that were given one URL only have no part in it. */
function startOf(name: string, scenario: string): string | null {
  const start = programs.get(name) ?? "";
  if (scenario === "old120k" && name === "kube-crier") return `${start} --max-age=60s`;
  if (scenario !== "drain" || start.includes("$RECV_URL_OTHER")) return start;
  return name === "kube-crier"
    ? start.replace(" --data-dir", ' "--sink=webhook:$RECV_URL_OTHER?level=Normal" --data-dir')
    : null;
}

/** What the harness has written; a scenario that it did not get to is missing. */
function scenariosIn(file: string): Record<string, Result> {
  if (!existsSync(file)) return {};
  const { scenarios: found } = JSON.parse(readFileSync(file, "utf8")) as {
    scenarios: Record<string, Result>;
  };
  return found;
}

const columns = new Map<string, Record<string, Result>>(only.map((name) => [name, {}]));

/** The floor is whoever reads the lines and parses them; other programs read no files. */
async function readFiles(): Promise<void> {
  const file = path.join(results, "events.jsonl");
  const count = Number(option("events", "1000000"));
  await makeFile(file, count);
  for (const name of only) {
    const column = columns.get(name);
    if (column === undefined) continue;
    if (name === "floor") column["filefilter"] = await readLines(file, count);
    if (name !== "kube-crier") continue;
    column["filefilter"] = await readByCrier(BUNDLE, file, count, results, false);
    column["fileledger"] = await readByCrier(BUNDLE, file, count, results, true);
  }
  rmSync(file);
}

for (const scenario of scenarios) {
  if (scenario === "file1m") {
    await readFiles();
    continue;
  }
  if (cluster === "" && CONTROLLED.has(scenario)) {
    process.stderr.write(`bench: ${scenario} is left out: E2E_CLUSTER is not set\n`);
    continue;
  }
  if (FILLED.has(scenario)) fill();
  for (const name of only) {
    const file = path.join(results, `${name}-${scenario}.json`);
    const evgen = option("evgen", "");
    const start = startOf(name, scenario);
    if (start === null) continue;
    const settings = {
      name,
      start,
      out: file,
      // Not one place for all: a run beside this one would wipe what this one's programs keep.
      work: results,
      kubeconfig,
      scenarios: scenario,
      settle: option("settle", "15"),
      count: option("count", "5000"),
      rate: option("rate", "200"),
      outage: option("outage", "600"),
      backlog: option("backlog", "60000"),
      "max-drain": option("max-drain", "900"),
      old,
      "old-run": OLD,
      ...(cluster === ""
        ? {}
        : {
            "apiserver-restart-cmd": `${cluster} down apiserver && ${cluster} up`,
            "expire-cmd": `${cluster} force-410 open`,
          }),
      ...(evgen === "" ? {} : { evgen }),
    };
    const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]);
    spawnSync(process.execPath, [path.join(HERE, "harness/bench.mjs"), ...args], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    Object.assign(columns.get(name) ?? {}, scenariosIn(file));
  }
  if (FILLED.has(scenario)) sweep();
}

const [cpu] = cpus();
process.stdout.write(
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpu?.model.trim() ?? "unknown CPU"}, Node ${process.version}\n\n`,
);
const table = tableOf([...columns].map(([name, found]) => ({ name, scenarios: found })));
writeFileSync(path.join(results, "table.md"), `${table}\n`);
process.stdout.write(`${table}\n`);
