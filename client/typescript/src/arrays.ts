/** Access to arrays whose length was checked before. */

/**
 * The element at an index that exists.
 *
 * @throws RangeError where it does not: a fault of this library, never of its input.
 */
export function at<T>(array: ArrayLike<T>, index: number): T {
  const element = array[index];
  if (element === undefined) throw new RangeError(`no element ${index} among ${array.length}`);
  return element;
}
