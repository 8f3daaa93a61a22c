/** How a list ended before its end. */
export type Left = "break" | "continue" | null;

/**
 * A part of a template on its way: it yields the parts within it and is told how they ended, so that templates can call each
 * other deeper than JavaScript's own stack is.
 */
export interface Walk extends Generator<Walk, Left, Left> {}

/** @param note takes the error of a part that has come to its end by it, or throws it */
export function walk(first: Walk, note: (error: unknown) => void): void {
  const stack = [first];
  let left: Left = null;
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const { done, value } = next(top, left, note);
    if (done === true) {
      stack.pop();
      left = value;
    } else {
      stack.push(value);
      left = null;
    }
  }
}

function next(top: Walk, left: Left, note: (error: unknown) => void): IteratorResult<Walk, Left> {
  try {
    return top.next(left);
  } catch (error) {
    note(error);
    return { done: true, value: null };
  }
}
