// The field: everybody's names on a globe that turns, and comes to rest with the winners in front. It is a picture
// of the pool, and nothing else: who wins was drawn before. A name is written once, into a small picture of its own;
// a frame only puts these pictures in their places. So 10,000 names cost what 200 do.

const MOST = 220; // names on the globe at a time; the others follow, where nobody looks
const WRITTEN = 6; // names that are written in a frame

function shuffled(list) {
  for (let at = list.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [list[at], list[other]] = [list[other], list[at]];
  }
  return list;
}

/**
 * Draws names into a canvas until it is stopped.
 *
 * The globe's centre is (x, y), its radii are `across` and `down`, `least` is the size of the smallest letters in
 * front, all in the pixels of the page; `sharp` is how many pixels of the canvas one of them has.
 */
function fieldOf(canvas, { names, x, y, across, down, least, family, text, gold, sharp }) {
  const pen = canvas.getContext("2d");
  const pool = shuffled([...new Set(names)]); // two people may have one name: it stands there once
  const font = (size) => `600 ${size}px ${family}`;
  pen.font = font(100);
  const some = pool.slice(0, 60);
  const wide = some.reduce((sum, name) => sum + pen.measureText(name).width, 0) / some.length / 100;
  const area = (1.1 * Math.PI * across * down) / (1.3 * (wide + 0.6));
  const letters = Math.max(least, Math.min(4 * least, (1.2 * across) / wide, Math.sqrt(area / Math.min(pool.length, MOST))));
  const number = Math.min(pool.length, MOST, Math.max(12, Math.floor(area / letters ** 2)));
  const spots = Array.from({ length: number }, (_, at) => {
    const height = 1 - (2 * at + 1) / number;
    return { height, round: Math.sqrt(1 - height * height), turn: 2.39996 * at, name: pool[at], old: true, seen: 0 };
  });
  const reach = Math.max(0.4 * across, Math.min(across, x - 0.65 * wide * letters)); // names stay on the page
  const dust = [];
  pen.setTransform(sharp, 0, 0, sharp, 0, 0);
  let next = number; // the first of the pool that waits for a spot
  let [turn, tilt, speed, wanted, zoom, dim] = [Math.random() * 6, 0.2, 0.3, 0.7, 1, 1];
  let [rest, lit, faded, last, frame] = [null, 0, 0, 0, 0];

  const clear = () => pen.clearRect(0, 0, canvas.width / sharp, canvas.height / sharp);

  function write(spot) {
    const size = letters * sharp;
    const picture = (spot.picture ??= document.createElement("canvas"));
    pen.font = font(size);
    picture.width = Math.ceil(Math.min(pen.measureText(spot.name).width + 0.5 * size, 1.4 * across * sharp));
    picture.height = Math.ceil(1.4 * size);
    const ink = picture.getContext("2d");
    Object.assign(ink, { font: font(size), textAlign: "center", textBaseline: "middle", fillStyle: spot.wins && lit ? gold : text });
    ink.fillText(spot.name, picture.width / 2, picture.height / 2, picture.width - 0.2 * size);
    spot.old = false;
  }

  function move(now) {
    const passed = Math.min(50, now - (last || now)) / 1000;
    last = now;
    if (rest) {
      rest.start ??= now;
      const left = (1 - Math.min(1, (now - rest.start) / rest.time)) ** 3;
      [turn, tilt] = [rest.turn + rest.by * (1 - left), rest.tilt + (rest.leaning - rest.tilt) * (1 - left)];
    } else {
      speed += (wanted - speed) * Math.min(1, 2.5 * passed);
      turn += speed * passed;
    }
    zoom += ((lit ? 1.08 : 1) - zoom) * Math.min(1, 4 * passed);
    dim += ((faded ? 0 : lit ? 0.16 : 1) - dim) * Math.min(1, 5 * passed);
  }

  function placeOf(spot) {
    const aside = spot.round * Math.sin(spot.turn + turn);
    const toward = spot.round * Math.cos(spot.turn + turn);
    const near = (1 + spot.height * Math.sin(tilt) + toward * Math.cos(tilt)) / 2;
    const high = spot.height * Math.cos(tilt) - toward * Math.sin(tilt);
    const far = zoom * (0.84 + 0.16 * near);
    return { spot, near, x: x + reach * far * aside, y: y + down * far * high, size: (0.5 + 0.5 * near) * zoom };
  }

  function draw(now) {
    move(now);
    clear();
    let ink = WRITTEN;
    const places = spots.map(placeOf).sort((one, other) => one.near - other.near);
    for (const place of places) {
      const { spot, near, size } = place;
      if (near < 0.2 && !rest && pool.length > number && spot.seen === 1) {
        [spot.name, pool[next]] = [pool[next], spot.name]; // behind, the next one takes the place
        next = next + 1 < pool.length ? next + 1 : number;
        Object.assign(spot, { old: true, seen: 0 });
      }
      if (spot.old && ink-- > 0) write(spot);
      if (!spot.picture || spot.gone || (spot.old && !rest)) continue;
      spot.seen = Math.min(1, spot.seen + 0.06);
      pen.globalAlpha = spot.seen * (lit && spot.wins ? 1 : (0.08 + 0.92 * near ** 2.2) * dim);
      const [wide, high] = [(spot.picture.width / sharp) * size, (spot.picture.height / sharp) * size];
      pen.drawImage(spot.picture, place.x - wide / 2, place.y - high / 2, wide, high);
    }
    pen.fillStyle = gold;
    for (const grain of dust) {
      grain.age = (now - (grain.born ??= now + grain.late)) / grain.life;
      if (grain.age < 0 || grain.age > 1) continue;
      pen.globalAlpha = grain.bright * Math.sin(Math.PI * grain.age);
      const sway = grain.sway * Math.sin(5 * grain.age + grain.late);
      pen.beginPath();
      pen.arc(grain.x + sway, grain.y + grain.fall * grain.age, grain.size, 0, 7);
      pen.fill();
    }
    const ended = faded && dim < 0.01 && dust.every(({ age }) => age > 1);
    if (ended) clear();
    frame = ended ? 0 : requestAnimationFrame(draw);
  }
  frame = requestAnimationFrame(draw);

  return {
    /** Turns faster: so many radians a second. */
    hurry: (radians) => (wanted = radians),

    /** Comes to rest after some milliseconds. One winner is then in the middle; several are all over the front. */
    rest(winners, time) {
      const by = (Math.max(speed, 1.2) * time) / 3000; // then it slows down from its own speed
      rest = { time, turn, tilt, by, leaning: 0.12 };
      let chosen;
      if (winners.length === 1) {
        const around = 2 * Math.PI;
        const goal = (spot) => (((-spot.turn - turn) % around) + around) % around;
        const [spot] = [...spots].sort((one, other) => Math.abs(one.height) - Math.abs(other.height)).slice(0, 5)
          .sort((one, other) => Math.cos(one.turn + turn) - Math.cos(other.turn + turn)); // prettier-ignore
        rest.by = goal(spot) + around * Math.max(0, Math.round((by - goal(spot)) / around));
        rest.leaning = Math.atan2(spot.height, spot.round);
        chosen = [spot];
      } else {
        const aside = (spot) => spot.round * Math.sin(spot.turn + turn + by);
        const toward = (spot) => spot.round * Math.cos(spot.turn + turn + by);
        const front = [...spots].sort((one, other) => toward(other) - toward(one))
          .slice(0, Math.max(winners.length, Math.floor(0.4 * number)))
          .sort((one, other) => aside(one) - aside(other)); // prettier-ignore
        const some = winners.slice(0, number);
        chosen = shuffled(some.map((_, at) => front[Math.floor(((at + 0.5) * front.length) / some.length)]));
      }
      chosen.forEach((spot, at) => {
        const holder = spots.find((one) => one.name === winners[at] && !one.wins);
        if (holder && holder !== spot) Object.assign(holder, { name: spot.name, old: true });
        Object.assign(spot, { name: winners[at], wins: true, old: true });
      });
    },

    /** The winners shine, the others step back. */
    light() {
      lit = 1;
      for (const spot of spots) spot.old ||= spot.wins;
    },

    /** Where a winner's name stands, and the size of its letters; after this, it is no longer in the field. */
    take(at) {
      const spot = spots.filter(({ wins }) => wins).find(({ name, gone }) => !gone && name === at);
      if (!spot) return { x, y, size: letters };
      spot.gone = true;
      const place = placeOf(spot);
      return { x: place.x, y: place.y, size: letters * place.size };
    },

    /** The others go out. Gold dust falls for some seconds, if so many grains are wished. */
    fade(grains) {
      faded = 1;
      for (let at = 0; at < grains; at++)
        dust.push({
          x: x + (Math.random() - 0.5) * 2.4 * across, y: y - 1.3 * down * Math.random(), fall: down * (0.4 + Math.random()),
          size: least * (0.03 + 0.09 * Math.random() ** 2), sway: least * Math.random(), bright: 0.3 + 0.6 * Math.random(),
          late: 5000 * Math.random(), life: 2500 + 2500 * Math.random(), age: 0,
        }); // prettier-ignore
    },

    stop() {
      cancelAnimationFrame(frame);
      clear();
    },
  };
}
