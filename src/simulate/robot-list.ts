import { PLATFORMS, type Platform, type RobotOptions } from "./message.ts";
import { isObject, textAt } from "./read.ts";
import { robotKey } from "./robot.ts";

/** Whose robots ask for what. */
const ASKS_FOR: Readonly<Record<"secret" | "keywords", readonly Platform[]>> = {
  secret: ["dingtalk", "lark", "slack"],
  keywords: ["dingtalk", "lark"],
};

/** What is given to a robot that never looks at it would prove nothing. */
export function unasked(platform: Platform, what: "secret" | "keywords"): string | null {
  return ASKS_FOR[what].includes(platform)
    ? null
    : `${what} means nothing to ${platform}; only ${ASKS_FOR[what].join(", ")} ask for it`;
}

const KEYS = ["platform", "token", "name", "secret", "keywords"];

/** Checks a list of robots from a file; all that is wrong, at once, by the place in the list. */
export function parseRobots(
  value: unknown,
): { readonly robots: readonly RobotOptions[] } | { readonly problems: readonly string[] } {
  if (!Array.isArray(value))
    return { problems: ['expected a JSON list, like [{"platform":"dingtalk","token":"ops"}]'] };
  const problems: string[] = [];
  const seen = new Set<string>();
  const robots = value.flatMap((item: unknown, index): RobotOptions[] => {
    const wrong = (problem: string) => problems.push(`[${index}]: ${problem}`);
    if (!isObject(item)) {
      wrong("is not an object");
      return [];
    }
    for (const key of Object.keys(item).filter((key) => !KEYS.includes(key)))
      wrong(`unknown key "${key}"; expected ${KEYS.join(", ")}`);
    const { platform, keywords } = item;
    if (!isPlatform(platform))
      wrong(
        `platform is ${platform === undefined ? "missing" : JSON.stringify(platform)}; expected ${PLATFORMS.join(", ")}`,
      );
    const token = textAt(item, "token");
    if (token === null) wrong("token is missing; expected what stands in the webhook's URL");
    for (const key of ["name", "secret"])
      if (item[key] !== undefined && textAt(item, key) === null) wrong(`${key} is not a text`);
    const words = keywords === undefined ? [] : keywords;
    if (!isTexts(words)) wrong("keywords is not a list of texts");
    if (!isPlatform(platform) || token === null || !isTexts(words)) return [];
    const given = { secret: item["secret"] !== undefined, keywords: words.length > 0 };
    for (const what of ["secret", "keywords"] as const) {
      const problem = given[what] ? unasked(platform, what) : null;
      if (problem !== null) wrong(problem);
    }
    const key = robotKey(platform, token);
    if (seen.has(key)) wrong(`${platform} has this token twice`);
    seen.add(key);
    const name = textAt(item, "name");
    const secret = textAt(item, "secret");
    return [
      {
        platform,
        token,
        keywords: words,
        ...(name === null ? {} : { name }),
        ...(secret === null ? {} : { secret }),
      },
    ];
  });
  return problems.length > 0 ? { problems } : { robots };
}

function isPlatform(value: unknown): value is Platform {
  return PLATFORMS.some((platform) => platform === value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "");
}
