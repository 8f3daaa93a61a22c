export type { Command } from "./command.ts";
export type { Fault } from "./fault.ts";
export { PLATFORMS } from "./message.ts";
export type { Platform, ReceivedMessage, Refusal, RobotOptions } from "./message.ts";
export { parseRobots } from "./robot-list.ts";
export { createSimulator } from "./simulator.ts";
export type { RobotSummary, Simulator, SimulatorOptions, SimulatorState } from "./simulator.ts";
export { startSimulator } from "./start.ts";
export type { RunningSimulator, StartOptions } from "./start.ts";
