import { FirewallError, isRetry, type Outcome, type Step } from "../firewall.ts";
import { createAddress, deleteAddress, repairAddress } from "./address-steps.ts";
import { createChild, deleteChild, putChild } from "./child-steps.ts";
import { again, done, explained, reasonOf, reasonOfReply, refused } from "./outcome.ts";
import { attachChild, createParent, deleteParent, detachChild } from "./parent-steps.ts";
import { stepFault } from "./step-check.ts";
import { TransportError } from "./transport.ts";
import { LostReply, type Tools, type Work } from "./work.ts";

/** Does one step, and says what became of it. Never throws for what the device or the network did. */
export async function applyStep(tools: Tools, step: Step): Promise<Outcome> {
  const own = ownObject(step);
  const fault = stepFault(tools.names, step);
  if (fault !== undefined) return refused("invalid", fault, [own]);
  return perform(tools, workOf(tools, step), `${step.kind} ${own}`, own);
}

/** @param own what a refusal blames */
export async function perform(tools: Tools, work: Work, what: string, own: string): Promise<Outcome> {
  try {
    return await work.act();
  } catch (error) {
    if (error instanceof LostReply) return await settle(tools, work, what, error);
    if (error instanceof TransportError) return again(reasonOf(error), `${what}: ${error.message}`);
    if (error instanceof FirewallError) return fromRead(error, what, own);
    if (tools.signal.aborted) return again("unclear", `${what}: broken off`, true);
    throw error;
  }
}

function workOf(tools: Tools, step: Step): Work {
  switch (step.kind) {
    case "create-address":
      return createAddress(tools, step);
    case "repair-address":
      return repairAddress(tools, step);
    case "delete-address":
      return deleteAddress(tools, step);
    case "create-child":
      return createChild(tools, step);
    case "put-child":
      return putChild(tools, step);
    case "delete-child":
      return deleteChild(tools, step);
    case "create-parent":
      return createParent(tools, step);
    case "attach-child":
      return attachChild(tools, step);
    case "detach-child":
      return detachChild(tools, step);
    default:
      return deleteParent(tools, step);
  }
}

/** What a refusal blames when it can't be traced to an address. */
function ownObject(step: Step): string {
  if ("address" in step) return step.address;
  return "parent" in step ? step.parent : step.child;
}

/** The call may have been done. Reading tells; where it can't, the next full read does. */
async function settle(tools: Tools, work: Work, what: string, { cause }: LostReply): Promise<Outcome> {
  const isSilent = cause instanceof TransportError;
  const words = isSilent ? cause.message : explained(cause, tools.client.vdom);
  const reason = isSilent ? reasonOf(cause) : reasonOfReply(cause);
  if (!tools.signal.aborted) {
    try {
      if (await work.holds()) return done(true);
    } catch (error) {
      if (!(error instanceof FirewallError) && !tools.signal.aborted) throw error;
    }
  }
  return again(isRetry(reason) ? reason : "unclear", `${what}: ${words}`, true);
}

/** A look at the device failed, before the call or after it. */
function fromRead({ reason, message }: FirewallError, what: string, own: string): Outcome {
  return isRetry(reason)
    ? again(reason, `${what}: ${message}`, true)
    : refused(reason, `${what}: ${message}`, [own]);
}
