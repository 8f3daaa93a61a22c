import { describe, expect, it } from "vitest";
import { fromKubeEventer } from "../../../src/cli/program/kube-eventer.ts";
import { cli } from "../../support/io.ts";

/** As kube-eventer's documentation starts it (reference of its flags: eventer.go at 0974bca). */
const DOCUMENTED = [
  "run",
  "--source=kubernetes:https://kubernetes.default",
  "--sink=dingtalk:https://oapi.dingtalk.com/robot/send?access_token=abc&label=a&level=Warning",
];

describe("the command line of kube-eventer", () => {
  it("stays as it is where it says the same here", () => {
    expect(fromKubeEventer(DOCUMENTED)).toEqual({
      argv: DOCUMENTED,
      isKubeEventers: true,
      notes: [],
      mistakes: [],
    });
  });

  it("needs no command: its flags alone mean run, with its own address", () => {
    const { argv } = fromKubeEventer(DOCUMENTED.slice(1));
    expect(argv).toEqual(["run", "--listen=0.0.0.0:8084", ...DOCUMENTED.slice(1)]);
  });

  it.each([
    [["--healthz-port=8085"], "--listen=0.0.0.0:8085"],
    [["--listen=:8080"], "--listen=:8080"],
  ])("%j without a command is served where it says", (given, expected) => {
    const { argv } = fromKubeEventer(["--source=kubernetes:https://kubernetes.default", ...given]);
    expect(argv.filter((word) => word.startsWith("--listen"))).toEqual([expected]);
  });

  it.each([
    ["kube-eventer's source", ["--source=kubernetes:https://kubernetes.default"], true],
    ["the same in two words", ["--source", "kubernetes:https://10.0.0.1:6443"], true],
    ["one of its flags", ["--frequency=30s"], true],
    ["a flag that both have", ["--event-metrics=false"], false],
    ["flags of ours", ["--source=kubernetes:", "--level=Warning"], false],
    ["a sink alone", ["--sink=stdout:"], false],
  ])("is known by %s: %j → %s", (_, flags, expected) => {
    expect(fromKubeEventer(["run", ...flags]).isKubeEventers).toBe(expected);
    expect(fromKubeEventer(flags).argv[0]).toBe("run");
  });

  it("leaves help and mistyped commands to the program", () => {
    for (const argv of [["--help"], ["rnu", "--sink=stdout:"], ["render", "--frequency=1s"], []])
      expect(fromKubeEventer(argv)).toMatchObject({ argv, isKubeEventers: false });
  });

  it.each([
    [["--frequency=30s"], ["--digest-every=30000ms"]],
    [["--frequency", "1m30s"], ["--digest-every=90000ms"]],
    [["--frequency=5s"], ["--digest-every=5000ms"]],
    [["--frequency=3m"], ["--digest-every=180000ms"]],
    [["--frequency=.5m"], ["--digest-every=30000ms"]],
    // Of two the last counts, as with Go.
    [
      ["--frequency=30s", "--frequency=60s"],
      ["--digest-every=30000ms", "--digest-every=60000ms"],
    ],
    [["--healthz-port=8085"], ["--listen=0.0.0.0:8085"]],
    [["--healthz-port", "8085", "--healthz-ip=127.0.0.1"], ["--listen=127.0.0.1:8085"]],
    [["--healthz-ip=127.0.0.1"], ["--listen=127.0.0.1:8084"]],
    [["--healthz-ip=::1"], ["--listen=[::1]:8084"]],
    [["--healthz_port=8085"], ["--listen=0.0.0.0:8085"]],
    [["--v=4"], ["--log-level=debug"]],
    [["-v", "5"], ["--log-level=debug"]],
    [["-v=10"], ["--log-level=debug"]],
    [["-v4"], ["--log-level=debug"]],
    [["--v=2"], []],
    [["--max_procs=4"], []],
    [["--max-procs", "0"], []],
    [["--event-metrics"], ["--event-metrics=true"]],
    [["--event-metrics=F"], ["--event-metrics=false"]],
    [["--logtostderr", "--alsologtostderr=false", "--skip_headers=true"], []],
    [["--stderrthreshold=INFO", "--vmodule", "a=1", "--log_dir=/tmp"], []],
    [["--log_file=a", "--log_file_max_size=1800", "--log_backtrace_at", ":0"], []],
    [["--add_dir_header", "--one_output", "--skip_log_headers"], []],
  ])("%j means %j", (given, expected) => {
    const { argv, mistakes } = fromKubeEventer(["run", ...given, "--sink=stdout:"]);
    expect(argv).toEqual(["run", ...expected, "--sink=stdout:"]);
    expect(mistakes).toEqual([]);
  });

  // Go's package flag: “One or two dashes may be used; they are equivalent.”
  it.each([
    [["-sink=log"], ["--sink=log"]],
    [
      ["-sink", "log"],
      ["--sink", "log"],
    ],
    [
      ["-sink", "-stay"],
      ["--sink", "-stay"],
    ],
    [["-source=kubernetes:"], ["--source=kubernetes:"]],
    [["-frequency=30s"], ["--digest-every=30000ms"]],
    [["-frequency", "30s"], ["--digest-every=30000ms"]],
    [["-healthz-port=8085"], ["--listen=0.0.0.0:8085"]],
    [["-healthz_ip", "127.0.0.1"], ["--listen=127.0.0.1:8084"]],
    [["-event-metrics=false"], ["--event-metrics=false"]],
    [["-max_procs=2", "-logtostderr", "-alsologtostderr=true", "-v=2"], []],
    [["-vmodule", "a=1", "-stderrthreshold=2"], []],
    [
      ["-log-level=warn", "-data-dir", "d"],
      ["--log-level=warn", "--data-dir", "d"],
    ],
  ])("%j has one dash and means %j", (given, expected) => {
    const { argv, mistakes } = fromKubeEventer(["run", ...given]);
    expect(argv).toEqual(["run", ...expected]);
    expect(mistakes).toEqual([]);
    expect(fromKubeEventer(given).argv).toEqual(
      expect.arrayContaining(["run", ...expected]) as unknown,
    );
  });

  it.each(["-h", "-help", "--help"])("%s shows the flags", async (help) => {
    const of = await cli(["run", help]);
    expect(of.code).toBe(0);
    expect(of.stdout).toContain("--sink <URI>");
    expect((await cli(["-sink=log", help])).stdout).toBe(of.stdout);
  });

  it("does not repeat what follows a flag that there is not: it may be a token", async () => {
    for (const flag of ["-snik", "-s", "--snik"]) {
      const { code, stderr } = await cli([`${flag}=dingtalk:https://h/send?access_token=s3cret1`]);
      expect(code).toBe(2);
      expect(stderr).toContain(`${flag}: there is no such flag`);
      expect(stderr).not.toContain("s3cret1");
    }
  });

  it("is no single argument, as a list in YAML keeps one: said without what may be a token", async () => {
    for (const command of [[], ["check"]]) {
      const { code, stderr } = await cli([
        ...command,
        "--source=kubernetes:https://kubernetes.default -sink=webhook:http://h/s3cret1",
        "--sink=webhook:https://h/s3cret2?header=A=b --frequency=30s --level=Normal",
      ]);
      expect(code).toBe(2);
      expect(stderr).toContain("--source: -sink stands in the same argument\n");
      expect(stderr).toContain("--sink: --level stands in the same argument\n");
      expect(stderr).toContain("give each flag as an argument of its own");
      expect(stderr).not.toContain("s3cret");
    }
    const inside = ["run", "--sink=webhook:http://h/in?header=A=b - c --d=e"];
    expect(fromKubeEventer(inside)).toMatchObject({ argv: inside, mistakes: [] });
  });

  it("is checked as it would run, on kube-eventer's own address", () => {
    const listens = (argv: readonly string[]) =>
      fromKubeEventer(argv).argv.filter((word) => word.startsWith("--listen"));
    expect(listens(["check", ...DOCUMENTED.slice(1)])).toEqual(["--listen=0.0.0.0:8084"]);
    expect(listens(["check", ...DOCUMENTED.slice(1), "--listen=:1"])).toEqual(["--listen=:1"]);
    expect(listens(["check", "--source=kubernetes:"])).toEqual([]);
  });

  it("a flag without a value of its own takes none from what follows", () => {
    expect(fromKubeEventer(["run", "--logtostderr", "--event-metrics", "--stay"]).argv).toEqual([
      "run",
      "--event-metrics=true",
      "--stay",
    ]);
  });

  it.each([
    ["--frequency=4s", /expected 5s to 3m, found "4s"/],
    ["--frequency=3m1s", /expected 5s to 3m/],
    ["--frequency=soon", /expected a duration like 30s or 1m30s, found "soon"/],
    ["--frequency=30", /expected a duration/],
    ["--frequency=", /expected a duration/],
    ["--max_procs=all", /expected a number of processors, found "all"/],
    ["--event-metrics=maybe", /expected true or false, found "maybe"/],
    ["--healthz-port=http", /expected a port, found "http"/],
    ["--healthz-port=65536", /expected a port/],
    ["--v=high", /expected a number, found "high"/],
  ])("%s is a mistake", (flag, said) => {
    const { mistakes } = fromKubeEventer(["run", flag]);
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]?.where).toBe(flag.split("=")[0]);
    expect(mistakes[0]?.message).toMatch(said);
  });

  it("says once what differs, whatever the number of flags", () => {
    const { notes } = fromKubeEventer(["run", "--logtostderr", "-v=2", "--v=4", "--frequency=30s"]);
    expect(notes).toEqual([
      {
        where: "--logtostderr, -v, --v",
        message: expect.stringContaining("--log-level"),
        hint: null,
      },
      { where: "--frequency", message: expect.stringContaining("sent at once"), hint: null },
    ]);
  });

  it("gives way to flags of ours, whatever their order", async () => {
    const { argv } = fromKubeEventer([
      "run",
      "--log-level=warn",
      "-v=9",
      "--listen=:1",
      "--healthz-port=2",
    ]);
    expect(argv).toEqual([
      "run",
      "--listen=0.0.0.0:2",
      "--log-level=debug",
      "--log-level=warn",
      "--listen=:1",
    ]);
    const { stdout } = await cli(["check", "--source=file:-", "--log-level=warn", "-v=9"]);
    expect(stdout).toMatch(/^log level +warn$/m);
  });

  it.each(["render", "send", "history", "demo"])("is none of %s's business", (command) => {
    const argv = [command, "--frequency=30s"];
    expect(fromKubeEventer(argv).argv).toEqual(argv);
  });

  it("is checked, with notes beside and mistakes among all the others", async () => {
    const good = await cli(["check", "--source=file:-", "--frequency=1m", "--max_procs=2"]);
    expect(good.code).toBe(0);
    expect(good.stdout).toMatch(/^digests +of a sink at most one in 1m/m);
    expect(good.stderr).toMatch(/warnings:[\s\S]*--frequency: alerts are sent at once/);
    const bad = await cli([
      "check",
      "--source=file:-",
      "--frequency=1h",
      "--healthz-port=x",
      "--levl=a",
    ]);
    expect(bad.code).toBe(2);
    expect(bad.stderr).toMatch(
      /^3 problems[\s\S]*--frequency: [\s\S]*--healthz-port: [\s\S]*--levl/,
    );
  });

  it("asks for the version as kube-eventer is asked", async () => {
    for (const argv of [
      ["run", "--source=kubernetes:", "--version"],
      ["-version"],
      ["--version"],
    ]) {
      const { code, stdout } = await cli(argv);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    }
  });
});
