import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import path from "node:path";

/**
 * `npm run bench`: kube-crier and the floor (a bare forwarder), scenario by scenario in one go, and the table of both.
 * Further programs by their start command: `npm run bench -- 'name=START COMMAND'`. Needs KUBECONFIG of a cluster one may fill with events;
 * E2E_CLUSTER, the command that controls it, makes the faster generator and the scenarios `apirestart` and `backlog` possible.
 */
const HERE = import.meta.dirname;
const ROOT = path.resolve(HERE, "..");
const SCENARIOS =
  "startup,latency,throughput200,throughputmax,sink500,sink429,sinkhang,slowsink,kill9,sigterm,sigtermhang,badchars,updates,newapi,apirestart,backlog";
const BACKLOG = 120_000;

const kubeconfig = process.env["KUBECONFIG"] ?? "";
const cluster = process.env["E2E_CLUSTER"] ?? "";
const flags = process.argv.slice(2).filter((arg) => arg.startsWith("--"));
const option = (name: string, fallback: string) =>
  flags.find((flag) => flag.startsWith(`--${name}=`))?.slice(name.length + 3) ?? fallback;
const further = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
if (kubeconfig === "") {
  process.stderr.write(
    "bench: KUBECONFIG is not set; export one of a cluster that may be filled with events\n",
  );
  process.exit(2);
}

const programs = new Map([
  ["floor", `${process.execPath} ${path.join(HERE, "harness/floor.mjs")}`],
  [
    "kube-crier",
    `${process.execPath} ${path.join(ROOT, "dist/kube-crier.js")} run --source=kubernetes: "--sink=webhook:$RECV_URL?level=Normal" --data-dir=$BENCH_STATE`,
  ],
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
  const which = ["-prefix", "backlog", "-namespaces", "default,shop", "-cleanup"];
  for (let round = 0; round < 10; round += 1)
    if (control("evgen", "-kubeconfig", kubeconfig, ...which).status === 0) return;
  process.stderr.write("bench: events of the backlog are left in the cluster\n");
}

const files = new Map(only.map((name) => [name, [] as string[]]));

for (const scenario of option("scenarios", SCENARIOS).split(",")) {
  if (cluster === "" && (scenario === "apirestart" || scenario === "backlog")) {
    process.stderr.write(`bench: ${scenario} is left out: E2E_CLUSTER is not set\n`);
    continue;
  }
  if (scenario === "backlog")
    control(
      "evgen",
      "-kubeconfig",
      kubeconfig,
      "-n",
      String(BACKLOG),
      "-rate",
      "0",
      "-prefix",
      "backlog",
      "-namespaces",
      "default,shop",
    );
  for (const name of only) {
    const file = path.join(results, `${name}-${scenario}.json`);
    const evgen = option("evgen", "");
    const settings = {
      name,
      start: programs.get(name) ?? "",
      out: file,
      kubeconfig,
      scenarios: scenario,
      settle: option("settle", "15"),
      count: option("count", "5000"),
      rate: option("rate", "200"),
      ...(cluster === ""
        ? {}
        : { "apiserver-restart-cmd": `${cluster} down apiserver && ${cluster} up` }),
      ...(evgen === "" ? {} : { evgen }),
    };
    const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]);
    spawnSync(process.execPath, [path.join(HERE, "harness/bench.mjs"), ...args], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    files.get(name)?.push(file);
  }
  if (scenario === "backlog") sweep();
}

const [cpu] = cpus();
process.stdout.write(
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpu?.model.trim() ?? "unknown CPU"}, Node ${process.version}\n\n`,
);
spawnSync(
  process.execPath,
  [
    path.join(HERE, "harness/table.mjs"),
    ...only.map((name) => `${name}=${(files.get(name) ?? []).join(",")}`),
  ],
  { stdio: "inherit" },
);
