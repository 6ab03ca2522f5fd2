/* SPDX-License-Identifier: Apache-2.0 */
/* The block device of the virtio specification 1.2, section 5.2. */
#ifndef BLOCK_VIRTIO_BLK_H
#define BLOCK_VIRTIO_BLK_H

#define BLK_DEVICE_ID 2u

/* Feature bits (5.2.3). */
#define BLK_F_SEG_MAX      (1ull << 2)
#define BLK_F_RO           (1ull << 5)
#define BLK_F_BLK_SIZE     (1ull << 6)
#define BLK_F_FLUSH        (1ull << 9)
#define BLK_F_TOPOLOGY     (1ull << 10)
#define BLK_F_CONFIG_WCE   (1ull << 11)
#define BLK_F_MQ           (1ull << 12)
#define BLK_F_DISCARD      (1ull << 13)
#define BLK_F_WRITE_ZEROES (1ull << 14)

/* The configuration (5.2.4): offsets, little-endian. */
#define BLK_CFG_CAPACITY        0u /* u64, in sectors of 512 bytes */
#define BLK_CFG_SEG_MAX         12u
#define BLK_CFG_BLK_SIZE        20u
#define BLK_CFG_PHYSICAL_EXP    24u /* u8 */
#define BLK_CFG_ALIGNMENT       25u /* u8 */
#define BLK_CFG_MIN_IO          26u /* u16, in logical blocks */
#define BLK_CFG_OPT_IO          28u
#define BLK_CFG_WRITEBACK       32u /* u8 */
#define BLK_CFG_NUM_QUEUES      34u /* u16 */
#define BLK_CFG_DISCARD_SECTORS 36u
#define BLK_CFG_DISCARD_SEGS    40u
#define BLK_CFG_DISCARD_ALIGN   44u /* in sectors of 512 bytes */
#define BLK_CFG_ZEROES_SECTORS  48u
#define BLK_CFG_ZEROES_SEGS     52u
#define BLK_CFG_ZEROES_UNMAP    56u /* u8 */
#define BLK_CFG_SIZE            60u

/* Requests (5.2.6). */
#define BLK_T_IN           0u
#define BLK_T_OUT          1u
#define BLK_T_FLUSH        4u
#define BLK_T_GET_ID       8u
#define BLK_T_DISCARD      11u
#define BLK_T_WRITE_ZEROES 13u

#define BLK_S_OK     0u
#define BLK_S_IOERR  1u
#define BLK_S_UNSUPP 2u

#define BLK_SECTOR      512u
#define BLK_HEADER_SIZE 16u
#define BLK_RANGE_SIZE  16u /* of discard and write zeroes: u64 sector, u32 sectors, u32 flags */
#define BLK_RANGE_UNMAP 1u
#define BLK_ID_SIZE     20u

#endif
