import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { Crier } from "../../support/crier.ts";
import { cli } from "../../support/io.ts";
import { temporaryDirectory } from "../../support/ledger.ts";

const EVENT = {
  apiVersion: "v1",
  kind: "Event",
  metadata: { name: "web.17a1", namespace: "shop", uid: "u-1", labels: { app: "web" } },
  involvedObject: { kind: "Pod", namespace: "shop", name: "web-0" },
  reason: "BackOff",
  message: 'said "no"\n\\ and {{left}}',
  type: "Warning",
  count: 3,
  firstTimestamp: "2026-11-20T07:55:00Z",
  lastTimestamp: "2026-11-20T08:00:00Z",
};

/** `render --engine=go` of a template and an event. */
async function renderGo(template: string, argv: readonly string[] = [], event: unknown = EVENT) {
  const dir = temporaryDirectory();
  const [body, file] = [path.join(dir, "body.tmpl"), path.join(dir, "event.json")];
  writeFileSync(body, template);
  writeFileSync(file, typeof event === "string" ? event : JSON.stringify(event));
  const args = ["render", "--engine=go", `--template=${body}`, `--event=${file}`, ...argv];
  return { ...(await cli(args, { env: { TZ: "Asia/Shanghai" } })), body };
}

describe("render --engine go --raw", () => {
  it("prints the plain output alone, to the byte", async () => {
    const { code, stdout, stderr } = await renderGo(
      '{"text": "{{ .Message }}", "app": "{{ .Labels.app }}"}',
      ["--raw"],
    );
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toBe('{"text": "said "no"\n\\ and {{left}}", "app": "web"}');
  });

  it("adds no newline and takes none away", async () => {
    expect((await renderGo("", ["--raw"])).stdout).toBe("");
    expect((await renderGo("{{ .Type }}\n\n", ["--raw"])).stdout).toBe("Warning\n\n");
  });

  it("prints times in TZ, or in the zone that is asked for", async () => {
    const { stdout } = await renderGo("{{ .LastTimestamp }}", ["--raw"]);
    expect(stdout).toBe("2026-11-20 16:00:00 +0800 CST");
    const asked = await renderGo("{{ .LastTimestamp }}", ["--raw", "--timezone=America/New_York"]);
    expect(asked.stdout).toBe("2026-11-20 03:00:00 -0500 EST");
  });

  it.each(["", "UTC"])("prints them in UTC where TZ is %j", async (TZ) => {
    const [body, file] = [temporaryDirectory(), temporaryDirectory()].map((dir) =>
      path.join(dir, "file"),
    ) as [string, string];
    writeFileSync(body, "{{ .LastTimestamp }}");
    writeFileSync(file, JSON.stringify(EVENT));
    const args = ["render", "--engine=go", "--raw", `--template=${body}`, `--event=${file}`];
    const crier = new Crier(args, { env: { TZ } });
    expect(await crier.ended()).toBe(0);
    expect(crier.stdout).toBe("2026-11-20 08:00:00 +0000 UTC");
  });

  it("takes a list of events, one after the other", async () => {
    const list = { apiVersion: "v1", kind: "EventList", items: [EVENT, { ...EVENT, count: 4 }] };
    expect((await renderGo("{{ .Count }};", ["--raw"], list)).stdout).toBe("3;4;");
  });
});

/** What kube-eventer sent of its third event, and the sink sends: test/fixtures/kube-eventer/wire.jsonl. */
const SERIES = {
  ...EVENT,
  firstTimestamp: null,
  lastTimestamp: null,
  eventTime: "2026-11-20T11:00:00.123456Z",
  series: { count: 7, lastObservedTime: "2026-11-20T11:30:00.654321Z" },
};

describe("render --engine go of an Event of the new API", () => {
  it.each([[], ["--raw"]])(
    "has eventTime for its lastTimestamp, as it is sent %j",
    async (...raw) => {
      const { stdout } = await renderGo("{{ .LastTimestamp }}", raw, SERIES);
      expect(stdout.trimEnd()).toBe("2026-11-20 19:00:00.123456 +0800 CST");
      const fresh = {
        apiVersion: "events.k8s.io/v1",
        kind: "Event",
        metadata: EVENT.metadata,
        regarding: EVENT.involvedObject,
        eventTime: SERIES.eventTime,
        type: "Warning",
      };
      expect((await renderGo("{{ .LastTimestamp }}", raw, fresh)).stdout.trimEnd()).toBe(
        "2026-11-20 19:00:00.123456 +0800 CST",
      );
    },
  );

  it("shows what the sink sends, and not what it does not keep", async () => {
    const { stdout } = await renderGo(
      "{{ .Count }} {{ .Series.Count }} {{ len .ObjectMeta.OwnerReferences }}",
      [],
      {
        ...SERIES,
        metadata: {
          ...EVENT.metadata,
          ownerReferences: [{ kind: "Pod", name: "p", uid: "u", apiVersion: "v1" }],
        },
      },
    );
    expect(stdout).toBe("7 7 0\n");
  });
});

describe("render --engine go", () => {
  it("escapes what stands within JSON", async () => {
    const { code, stdout } = await renderGo('{"text": "{{ .Message }}", "n": {{ .Count }}}');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ text: EVENT.message, n: 3 });
  });

  it("says where the result is no JSON, and fails", async () => {
    const { code, stdout, stderr, body } = await renderGo('{"text": {{ .Message }}}');
    expect(code).toBe(3);
    expect(stdout).toContain("said");
    expect(stderr).toContain(`${body}: the result is not valid JSON and would not be sent: line 1`);
  });

  it("leaves a text alone", async () => {
    const { code, stdout } = await renderGo("{{ .Reason }}: {{ .Message }}");
    expect(code).toBe(0);
    expect(stdout).toBe(`BackOff: ${EVENT.message}\n`);
  });
});

describe("what is wrong with a Go template ends with code 2 and its place", () => {
  it.each([
    ["{{ .Type ", "1:10", "template: body:1: unclosed action"],
    [
      "a\n {{ .NoSuchField }}",
      "2:5",
      'template: body:2:4: executing "body" at <.NoSuchField>: can\'t evaluate field NoSuchField in type *v1.Event',
    ],
    ["{{ nope }}", "1:4", 'template: body:1: function "nope" not defined'],
  ])("%j", async (template, place, message) => {
    for (const raw of [[], ["--raw"]]) {
      const { code, stdout, stderr, body } = await renderGo(template, raw);
      expect(code).toBe(2);
      expect(stdout).toBe("");
      expect(stderr).toContain(`${body}:${place}: ${message}`);
    }
  });

  it("a template of Go's without --engine=go is told which flag it needs", async () => {
    const file = path.join(temporaryDirectory(), "body.tmpl");
    writeFileSync(file, '{"text": "{{ .Reason }}"}');
    const { code, stderr } = await cli(["render", `--template=${file}`, "--event=-"]);
    expect(code).toBe(2);
    expect(stderr).toContain("in Go's template language it has no mistake: give --engine=go\n");
    writeFileSync(file, '{"text": "{{ .Reason }"}');
    const neither = await cli(["render", `--template=${file}`, "--event=-"]);
    expect(neither.code).toBe(2);
    expect(neither.stderr).not.toContain("--engine=go");
  });

  it("options that do not go together are named", async () => {
    const dir = temporaryDirectory();
    const file = path.join(dir, "x");
    writeFileSync(file, "x");
    const event = path.join(dir, "event.json");
    writeFileSync(event, JSON.stringify(EVENT));
    const render = (...argv: string[]) => cli(["render", `--event=${event}`, ...argv]);
    const unknown = await render("--engine=jinja", `--template=${file}`);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('--engine: "jinja" is no engine');
    expect(unknown.stderr).toContain("expected handlebars or go");
    const without = await render("--engine=go");
    expect(without.code).toBe(2);
    expect(without.stderr).toContain("give its file with --template");
    const raw = await render("--raw", `--template=${file}`);
    expect(raw.code).toBe(2);
    expect(raw.stderr).toContain("--raw: is for Go templates");
    const absent = await render("--engine=go", "--template=/nonexistent/body.tmpl");
    expect(absent.code).toBe(2);
    expect(absent.stderr).toContain("/nonexistent/body.tmpl cannot be read");
  });

  it("an event file that holds none is named", async () => {
    const { code, stderr } = await renderGo("x", [], "{");
    expect(code).toBe(2);
    expect(stderr).toContain("--event");
    const pod = await renderGo("x", [], { apiVersion: "v1", kind: "Pod", metadata: { name: "p" } });
    expect(pod.code).toBe(2);
    expect(pod.stderr).toContain("expected an Event, found Pod");
  });
});
