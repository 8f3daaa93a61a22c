import { DELIVERY_STATES } from "../event/delivery.ts";
import { FAILURE_REASONS } from "../event/reason.ts";

/** What holds for every row, whatever happened to the process, in SQL that every ledger's database takes. */
export interface Law {
  /** What it means that there are such rows. */
  readonly what: string;
  readonly from: string;
  /** How a row is named. */
  readonly id: string;
  readonly broken: string;
}

const quoted = (all: readonly string[]) => all.map((one) => `'${one}'`).join(", ");
const REASONS = quoted(Object.keys(FAILURE_REASONS));
const STATES = quoted(DELIVERY_STATES);

/**
 * The laws of deliveries and checkpoints.
 * @param prefix of the tables' names
 */
export function commonLaws(prefix: string): readonly Law[] {
  const delivery = (what: string, broken: string): Law => ({
    what,
    from: `${prefix}delivery d`,
    id: "d.id",
    broken,
  });
  return [
    delivery("deliveries in a state that does not exist", `d.state NOT IN (${STATES})`),
    delivery(
      "pending deliveries that were settled",
      "d.state = 'pending' AND d.settled_at IS NOT NULL",
    ),
    delivery("settled deliveries without a time", "d.state <> 'pending' AND d.settled_at IS NULL"),
    delivery(
      "dead letters without a reason",
      `d.state = 'dead' AND (d.reason IS NULL OR d.reason NOT IN (${REASONS}))`,
    ),
    delivery(
      "delivered deliveries with a reason of a failure",
      "d.state = 'delivered' AND d.reason IS NOT NULL",
    ),
    delivery(
      "deliveries folded into nothing, or not folded and yet in a digest",
      "(d.state = 'folded') <> (d.folded_into IS NOT NULL)",
    ),
    // The digest may be forgotten before what it told.
    {
      ...delivery(
        "deliveries folded into what is no digest of their sink",
        "t.alert IS NULL OR t.sink <> d.sink",
      ),
      from: `${prefix}delivery d JOIN ${prefix}delivery t ON t.id = d.folded_into`,
    },
    delivery("deliveries about nothing", "d.occurrence IS NULL AND d.alert IS NULL"),
    delivery(
      "deliveries whose alert is not JSON",
      "d.alert IS NOT NULL AND NOT json_valid(d.alert)",
    ),
    {
      what: "checkpoints that lead nowhere",
      from: `${prefix}checkpoint c`,
      id: "c.scope",
      broken: "c.resource_version = '' OR c.at <= 0",
    },
  ];
}
