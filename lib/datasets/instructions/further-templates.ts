/**
 * What instructions of the tasks beside the paper's are made of, from two words to two clauses.
 */
import {image, polite, take} from './phrases.ts';
import type {FurtherTask} from './tasks.ts';

export const furtherTemplates: Readonly<Record<FurtherTask, readonly string[]>> = {
  colour: [
    '{use|take|keep|copy|apply} {the|this} {colour|colours|palette}',
    `${polite}${take} the {colour|colours|colour scheme|palette|colour palette} {of|from} ${image}`,
    `{paint|draw|render|make} {it|the prompt|the new picture} in the {colours|tones|palette|colour scheme} of ${image}`,
    `{match|imitate|follow} the {colours|palette|tones} of ${image}{|, but not what it shows|, and nothing more|: its hues, its light, its contrasts}`,
    `{take only|nothing but|just|only} the {colours|colour scheme|palette|hues and tones} of ${image}`,
    `{in the same colours|with the same colours|same colours|the same palette} as ${image}{|, with new content|, other things}`,
    `let the {colours|palette|tones} of ${image} {guide|inspire|shape} {the new picture|the result|what you paint}`,
    `{make|let} the {result|new picture|scene} have the {colours|hues|tones} of ${image}{|, whatever it shows}`,
    `{I like|I want|give me} the {colours|palette|tones} of ${image}{|: use them| for the prompt| on something else}`,
    `{colour|tint|tone} {it|the prompt|the new picture|the result} like ${image}{|, and change nothing else}`,
    `the {colours|palette|tones} of ${image} should {stay|be kept|be used again}{|, on other things|, with new content}`,
    `which colours ${image} has {is what counts|should not change}{|, not what it shows}`,
  ],
  pose: [
    '{use|take|keep|copy|follow} {the|this} {pose|posture}',
    `${polite}${take} the {pose|body pose|posture|pose and gesture} {of|from} ${image}`,
    `{put|place|show|paint} {someone else|another person|the person of the prompt|a new figure} in the pose of ${image}`,
    `{match|follow|imitate|repeat} the pose {in|of|from} ${image}{|, but not who it is|, and nothing more|: arms, legs, the tilt of the head}`,
    `{take only|nothing but|just|only} the {pose|posture|body pose} {in|of|from} ${image}`,
    `{the same pose|same pose|exactly the same pose|a figure in the same pose} as in ${image}{|, with someone else|, in another place|, in new clothes}`,
    `let the {pose|posture|gesture} in ${image} {guide|lead|shape} {the new figure|the result|what you paint}`,
    `{keep|copy} how {the person|the figure|the body} {stands|sits|moves|is turned} in ${image}{|, whoever it is}`,
    `the {pose|posture|stance} {in|of} ${image} should {stay|be kept|be used again|be followed}{|, for someone else|, in another place}`,
    `{whoever is painted|the new figure|the person of the prompt} should {stand|move|be turned} as in ${image}{|, limb for limb}`,
    `{pose|position|arrange} {the figure|the person|the body} {as in|like} ${image}{|, and change the rest}`,
    `{hold|bend|turn} {arms and legs|the whole body|the limbs} as in ${image}{|, with someone new}`,
  ],
  foreground: [
    '{use|take|keep|copy|show} {the|this} foreground',
    `${polite}${take} the {foreground|whole foreground|foreground alone} {of|from} ${image}`,
    `{put|place|set|show} the foreground {of|from} ${image} in {a new scene|another place|new surroundings|the scene of the prompt}`,
    `{keep|preserve|leave} what is {in front|near|closest} in ${image}{|, and replace what is behind|, in new surroundings|, and nothing more}`,
    `{take only|nothing but|just|only} the foreground {in|of|from} ${image}`,
    `{the same foreground|same foreground|exactly the same foreground} as in ${image}{|, in another place|, with all behind it new}`,
    `let the foreground of ${image} {stay|stand|appear} in {the new picture|the result|what you paint}`,
    `{cut out|pick out|separate|lift} the foreground {of|from|in} ${image}{| and use it again| and drop the rest| and place it elsewhere}`,
    `the foreground {in|of} ${image} should {stay|be kept|appear again|be seen elsewhere}{|, with all behind it new|, in other surroundings}`,
    `{what stands in front|what is nearest|the front} in ${image} {is what counts|should stay|should be kept}{|, not what lies behind}`,
    `{change|replace|repaint} {all that is|whatever is|what lies} behind the foreground of ${image}`,
    `{add|bring|move} the foreground {of|from} ${image} {into|to} {the scene|the new picture|the place of the prompt}`,
  ],
  background: [
    '{use|take|keep|copy|show} {the|this} background',
    `${polite}${take} the {background|whole background|background alone|setting and background} {of|from} ${image}`,
    `{put|place|set|show} {the new things|the prompt|someone else|something new} {in front of|before} the background of ${image}`,
    `{keep|preserve|leave} what is {behind|far away|in the distance} in ${image}{|, and replace what is in front|, with new content|, and nothing more}`,
    `{take only|nothing but|just|only} the background {in|of|from} ${image}`,
    `{the same background|same background|exactly the same background} as in ${image}{|, with something else before it|, with new content}`,
    `let the background of ${image} {stay|stand|appear} {in the new picture|in the result|behind what you paint}`,
    `{clear|empty|free} the background {of|in} ${image}{| and use it again| and put new things before it| for the prompt}`,
    `the background {in|of} ${image} should {stay|be kept|appear again|be seen again}{|, with something else before it|, with new content}`,
    `{what lies behind|what is farthest|the setting} in ${image} {is what counts|should stay|should be kept}{|, not what stands in front}`,
    `{change|replace|repaint} {all that is|whatever is|what stands} in front of the background of ${image}`,
    `{I want|give me|show me} the {place|setting|surroundings} of ${image} {again|once more}{|, with other things in it}`,
  ],
};
