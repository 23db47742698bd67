// The one error that means "this machine cannot do it", as opposed to "it went wrong".

/** A tier cannot run here. The message names the missing part and how to get it. */
export class MissingPart extends Error {
  override readonly name = 'MissingPart';
}
