import { MessageChannel } from "node:worker_threads";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Answers, Calls, LostError } from "../../../src/app/calls.ts";
import { ConfigError } from "../../../src/config/config.ts";
import { UnreadableError } from "../../../src/history/history.ts";
import { StorageError } from "../../../src/ledger/store.ts";

/** Both ends of a port, as two threads have them. */
function joined<Theirs extends Answers>(answers: Theirs) {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  return { asking: new Calls<Theirs>(port1, {}), other: new Calls<Answers>(port2, answers) };
}

const failing = (error: unknown) => joined({ fail: (): never => raise(error) }).asking;
function raise(error: unknown): never {
  throw error;
}

describe("questions between threads", () => {
  it("are answered, each with its own answer, in whatever order that comes", async () => {
    const slow = Promise.withResolvers<string>();
    const { asking } = joined({
      late: () => slow.promise,
      sum: (a: number, b: number) => a + b,
    });
    const late = asking.ask("late");
    expect(await asking.ask("sum", 2, 3)).toBe(5);
    expect(await asking.ask("sum", 40, 2)).toBe(42);
    slow.resolve("at last");
    expect(await late).toBe("at last");
  });

  it("carry maps, sets and endless numbers as they are", async () => {
    const { asking } = joined({ echo: (given: unknown) => given });
    const given = { map: new Map([["a", new Set([1])]]), least: Number.NEGATIVE_INFINITY };
    expect(await asking.ask("echo", given)).toEqual(given);
  });

  it("go both ways over one port", async () => {
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port1.close());
    const left = { name: () => "left" };
    const right = { name: () => "right" };
    const atLeft = new Calls<typeof right>(port1, left);
    const atRight = new Calls<typeof left>(port2, right);
    expect(await Promise.all([atLeft.ask("name"), atRight.ask("name")])).toEqual(["right", "left"]);
  });

  it("bring a mistake of the configuration with each of its places", async () => {
    const issues = [
      { where: "a.yaml:1:2", message: "is wrong", hint: "mend it" },
      { where: "b.yaml", message: "as well", hint: null },
    ];
    const asked = failing(new ConfigError(issues)).ask("fail");
    await expect(asked).rejects.toBeInstanceOf(ConfigError);
    await expect(asked).rejects.toMatchObject({ issues });
  });

  it("bring a store that cannot be read, and one that cannot be written, as what they are", async () => {
    const unreadable = failing(new UnreadableError("the disk is away")).ask("fail");
    await expect(unreadable).rejects.toBeInstanceOf(UnreadableError);
    await expect(unreadable).rejects.toThrow("the disk is away");
    await expect(
      failing(new StorageError("the disk is full", null)).ask("fail"),
    ).rejects.toMatchObject({ name: "StorageError", message: "the disk is full" });
  });

  it("bring any other error, and what is thrown without being one", async () => {
    await expect(failing(new TypeError("not that")).ask("fail")).rejects.toMatchObject({
      name: "TypeError",
      message: "not that",
    });
    await expect(failing("just words").ask("fail")).rejects.toThrow("just words");
  });

  it("fail where nobody answers them, or what is answered cannot cross", async () => {
    const { asking } = joined({ give: () => () => "a function" });
    await expect(asking.ask("give")).rejects.toThrow(/could not be cloned/);
    const wrong = asking as unknown as Calls<{ nothing: () => void }>;
    await expect(wrong.ask("nothing")).rejects.toThrow('nobody answers "nothing"');
  });

  it("fail where what is asked cannot cross, and the next is answered", async () => {
    const { asking } = joined({ take: (given: unknown) => typeof given });
    await expect(asking.ask("take", () => 1)).rejects.toThrow(/could not be cloned/);
    expect(await asking.ask("take", 1)).toBe("number");
  });

  it("that are under way when the other thread is lost are told so, and so are those after it", async () => {
    const { asking } = joined({ wait: () => new Promise<never>(() => undefined) });
    const underWay = [asking.ask("wait"), asking.ask("wait")];
    asking.lose("its thread has ended: out of memory");
    for (const asked of [...underWay, asking.ask("wait")]) {
      await expect(asked).rejects.toBeInstanceOf(LostError);
      await expect(asked).rejects.toThrow("its thread has ended: out of memory");
    }
    asking.lose("another reason");
    await expect(asking.ask("wait")).rejects.toThrow("out of memory");
  });
});
