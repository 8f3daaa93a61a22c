import { configureGlobal } from "fast-check";

/** The same cases in every run: a test that fails does so because of what was changed. `PROPERTY_SEED=$RANDOM npm test` tries others. */
configureGlobal({ seed: Number(process.env["PROPERTY_SEED"] ?? 20_261_122) });
