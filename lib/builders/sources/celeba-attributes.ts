/** What those of CelebA's attributes that a prompt would name say, in the order in which a caption says them. */
const withWords: Readonly<Record<string, string>> = {
  Bald: 'no hair',
  Black_Hair: 'black hair',
  Blond_Hair: 'blond hair',
  Brown_Hair: 'brown hair',
  Gray_Hair: 'grey hair',
  Wavy_Hair: 'wavy hair',
  Straight_Hair: 'straight hair',
  Bangs: 'bangs',
  Goatee: 'a goatee',
  Mustache: 'a moustache',
  Sideburns: 'sideburns',
  Eyeglasses: 'glasses',
  Wearing_Hat: 'a hat',
  Wearing_Earrings: 'earrings',
  Wearing_Necklace: 'a necklace',
  Wearing_Necktie: 'a necktie',
};

/**
 * A caption such as "a photo of a smiling young woman with brown hair and glasses", for sets without better ones.
 *
 * @param attributes names of those that the picture has, as CelebA spells them
 */
export function attributesText(attributes: readonly string[]): string {
  const has = (name: string) => attributes.includes(name);
  const person = has('Male') ? 'man' : 'woman';
  const words = [...(has('Smiling') ? ['smiling'] : []), ...(has('Young') ? ['young'] : []), person];
  const things = Object.keys(withWords)
    .filter(has)
    .map(name => withWords[name]!);
  const list = [things.slice(0, -1).join(', '), ...things.slice(-1)]
    .filter(part => part !== '')
    .join(' and ');
  return `a photo of a ${words.join(' ')}${list === '' ? '' : ` with ${list}`}`;
}
