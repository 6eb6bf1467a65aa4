/**
 * What instructions of each task are made of, from two words to two clauses.
 */

export type InstructedTask = 'replication' | 'style' | 'object' | 'composition' | 'face';

const image =
  '{the image|this image|the picture|this picture|the reference|the given picture|the input image|the condition image}';
const take = '{use|take|keep|copy|reuse|extract|borrow|apply}';
const polite = '{|please }';

export const templates: Readonly<Record<InstructedTask, readonly string[]>> = {
  replication: [
    '{use|take|keep|copy|reuse|replicate} everything',
    `${polite}{use|take|keep|copy|reuse} everything {from|in|of} ${image}`,
    `{recreate|replicate|reproduce|redraw} ${image}{| exactly| faithfully| as closely as possible| in every detail}`,
    `make {a copy|a replica|an exact copy|a faithful copy|another version} of ${image}`,
    `everything {in|from|about} ${image} should {stay|be kept|appear again|be the same}`,
    `{I want|give me|show me} ${image} again{|, unchanged|, with everything in its place|, with nothing left out}`,
    `{let everything stay|leave everything|keep everything} as it is in ${image}{|, down to the details|, from edge to edge}`,
    `{take|use|keep} ${image} as a whole{| and change nothing| and keep everything the same}`,
    `{repeat|copy|mirror|restore} ${image}{|, please| once more| from scratch}{|, with all that is in it}`,
    `what {I want|I need|you paint} is ${image}{| itself| again}{|, whole and unchanged|, and nothing new}`,
    `the {result|new picture|output} should {be|look like|match|equal} ${image}{|, all of it| in everything}`,
    `{do not change|change nothing about|stay true to|stick to} ${image}{|, not even a detail| at all}`,
  ],
  style: [
    '{use|take|keep|copy|apply} {the|this} style',
    `${polite}${take} the {style|artistic style|art style|visual style|style and colours} {of|from} ${image}`,
    `{paint|draw|render|make} {it|the prompt|the new picture} in the {style|visual style|artistic style} of ${image}`,
    `{match|imitate|follow} the style of ${image}{|, but not what it shows|, and nothing more|: its colours, its lines, its texture}`,
    `{take only|nothing but|just|only} the {style|art style|style and colours|style and technique} of ${image}`,
    `{in the same style|with the same style|same style} as ${image}{|, with new content|, other things}`,
    `let the style of ${image} {guide|inspire|shape} {the new picture|the result|what you paint}`,
    `{use|borrow} the {palette|colours|brushwork|line work} and {manner|technique} of ${image}`,
    `{make|let} the {result|new picture|scene} look {painted|drawn|made} like ${image}{|, whatever it shows}`,
    `{I like|I want|give me} the {style|look|technique} of ${image}{|: use it| for the prompt| on something else}`,
    `how ${image} is {painted|drawn|made} {is what counts|should stay|should be kept}{|, not what it shows}`,
  ],
  object: [
    '{use|take|keep|show|paint|place} {the|this} object',
    `${polite}${take} the object {in|from|of} ${image}`,
    `{put|place|set|show|paint} the object {of|from} ${image} in {a new scene|another place|new surroundings|the scene of the prompt}`,
    `{I want|show me|give me|make a picture of} {the same object|this very object|exactly this object}{|, somewhere else|, in another scene|, with a new background}`,
    `{cut out|pick out|single out|isolate} the object {in|of|from} ${image}{| and use it again| and paint it anew| and drop the rest}`,
    `the object {in|from} ${image} should {be in the result|appear again|be seen in a new scene|stay the same}`,
    `{keep|preserve} the look of the object{|, its shape and its colour|, change all around it|, but not the background}`,
    `{take only|nothing but|just|only} the object {in|from} ${image}`,
    `{use|take|show} the {same|very same} object as {in|on} ${image}{|, but elsewhere|, in the scene of the prompt}`,
    `{add|bring|move} the object {of|from} ${image} {into|to} {the scene|the new picture|the place of the prompt}`,
    `{this|the} object{| in ${image}} {belongs|goes|should go} {into the new scene|somewhere else|in another picture}`,
    `{paint|draw|render} the object {of|from|in} ${image} {again|anew|once more}{|, in other surroundings}`,
  ],
  composition: [
    '{use|take|keep|copy|follow} {the|this} composition',
    `${polite}${take} the {composition|composition and layout|spatial composition|overall composition} {of|from} ${image}`,
    `{match|follow|imitate|respect} the composition of ${image}{|, with other things in it|, and nothing more|: what stands where, and how large}`,
    `{arrange|place|lay out} {the new things|the new content} {as in|by the composition of|after the layout of} ${image}`,
    `{take only|nothing but|just|only} the {composition|layout and composition|arrangement} of ${image}`,
    `{the same composition|same composition|exactly the same composition} as ${image}{|, with new content|, painted anew}`,
    `let the composition of ${image} {guide|lead|shape} {the new picture|the result|what you paint}`,
    `keep {positions and sizes|the arrangement|the layout|the placement of things} {of|from} ${image}`,
    `{put|set|place} {things|the things of the prompt|new things} where they {are|stand} in ${image}{|, as large as there}`,
    `{use|take} ${image} as {a layout|a plan|a guide for the layout|a sketch of the composition}{|, not for its content}`,
    `the {composition|layout|arrangement} of ${image} should {stay|be kept|be used again|be followed}{|, with other things}`,
  ],
  face: [
    '{use|take|keep|copy|show} {the|this} {face|identity}',
    `${polite}${take} the {face|identity|face and identity|facial features} {of|from} ${image}`,
    `{put|place|show|paint} the {face|person} {of|from} ${image} in {a new scene|another portrait|new surroundings|the new picture}`,
    `{keep|preserve|match} the identity of the person in ${image}{|, in a new pose|, whatever the surroundings|, and nothing more}`,
    `{the same face|the same person|someone with the same face} as in ${image}{|, in another place|, in a new portrait}`,
    `{take only|nothing but|just|only} the {face|identity|person's face|person's identity} {in|from} ${image}`,
    `{make a new portrait of|paint again|draw once more} the person in ${image}{|, with the same face|, so that one knows the face}`,
    `the {face|person} in ${image} should {be recognised|appear again|stay the same|be in the result}`,
    `{show|paint|draw} the {same|very same} {face|person|identity} as in ${image}{|, but elsewhere|, with another expression}`,
    `{who|the person who} is in ${image} should be in the {result|new picture|portrait}{|, easy to know again}`,
    `{keep|use} the {hair, eyes and nose|features|looks} of the {face|person} in ${image}`,
  ],
};
