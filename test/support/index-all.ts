import { systemClock } from "../../src/clock.ts";
import { placesIn } from "../../src/history/open.ts";
import { Engine } from "../../src/history/sqlite/engine.ts";

// A process that indexes a data directory, to be killed while it does.
const engine = new Engine(placesIn(process.argv[2] ?? ""), systemClock);
while (engine.work());
await engine.close();
