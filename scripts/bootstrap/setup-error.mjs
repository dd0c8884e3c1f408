/** Something that stops the set-up and that the user can do something about: shown as its text, without a stack. */
export class SetupError extends Error {
  /**
   * @param {string} message what happened and what to do
   * @param {number} [status] exit status of the program
   */
  constructor(message, status = 1) {
    super(message);
    this.status = status;
  }
}
