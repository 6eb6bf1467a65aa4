import {journeyDbFolder, openJourneyDb} from './journey-db.ts';
import {openPictureFolder} from './picture-folder.ts';
import type {PictureSource} from './picture-source.ts';
import {openPictureTables, tableFiles} from './picture-table.ts';

/**
 * Pictures with captions, of JourneyDB, Parquet tables or a plain folder, whichever `folder` holds.
 *
 * @throws FileError where it holds none, or cannot be read
 */
export async function openPictures(folder: string): Promise<PictureSource> {
  const journeyDb = journeyDbFolder(folder);
  if (journeyDb !== undefined) return openJourneyDb(journeyDb);
  const tables = await tableFiles(folder);
  return tables.length > 0 ? openPictureTables(folder, tables) : openPictureFolder(folder);
}
